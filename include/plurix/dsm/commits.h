// Makes the commits of this node and applies those of the others (paper section 2.3, DESIGN P3).
//
// A commit takes as many commit times as it needs packets and is applied as a whole. Making one is
// a single step: times are taken, packets logged and sent, pages owned. Nothing can come in
// between, and the token leaves only in a later action of the list.
#pragma once

#include <plurix/dsm/attempt.h>
#include <plurix/dsm/catch_up.h>
#include <plurix/dsm/imaging.h>

namespace plurix {

class Commits {
 public:
  Commits(CoreContext& core, PageDirectory& directory, Attempt& attempt, CatchUp& catch_up,
          Imaging& imaging) noexcept
      : core_(core),
        directory_(directory),
        attempt_(attempt),
        catch_up_(catch_up),
        imaging_(imaging) {}

  /// Commits the attempt's write set and ends the attempt; returns its (last) commit time. The
  /// caller holds the token, has applied everything, and the attempt has written and is not doomed.
  CommitTime commit_attempt() noexcept;

  /// Commits a single record that is no transaction (membership, adoption). `words` has at most
  /// kMaxWords entries.
  void commit_record(wire::RecordKind kind, std::span<const std::uint32_t> words) noexcept;

  /// Applies the page side of one packet of a commit that ends at time `last`.
  void apply(const wire::RecordView& record, CommitTime last) noexcept;

  /// `page` became ours without a record we saw: the copy here is the page.
  void own_copy(PageIndex page) noexcept {
    if (directory_.state(page) != PageState::kCopy) return;
    directory_.set_state(page, PageState::kOwned);
    directory_.set_owner_hint(page, core_.self);
  }

  /// `page` was written by `owner` in a commit up to `time`: our copy is void.
  void invalidate(PageIndex page, NodeId owner, CommitTime time) noexcept;

 private:
  void publish(const wire::RecordHeader& header, std::span<const std::uint32_t> words) noexcept;
  void assign(PageIndex page, NodeId owner, CommitTime time) noexcept;
  void adopt(PageIndex page, NodeId owner, CommitTime time) noexcept;
  void raise_high_water(PageIndex page) noexcept {
    if (page >= core_.high_water) core_.high_water = page + 1;
  }

  CoreContext& core_;
  PageDirectory& directory_;
  Attempt& attempt_;
  CatchUp& catch_up_;
  Imaging& imaging_;
};

}  // namespace plurix

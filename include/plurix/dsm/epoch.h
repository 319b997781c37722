// A member's side of epochs (DESIGN P4, P7): it stops when the PageServer prepares a new one,
// reports what it has, and goes on when that one begins, or starts anew as a newcomer if the
// cluster went on without it.
//
// Invariants
// - From the promise of an epoch until it begins nothing more is applied, committed or served: the
//   PageServer computes the epoch's start from what the members have reported.
// - An epoch begins between attempts, never under one.
// - A member serves nobody and commits nothing without a lease of the PageServer. The lease counts
//   from when the member asked, not from when the answer came: an answer may have waited in a queue
//   while the cluster went on. While there is certainly no PageServer nobody opens an epoch, and a
//   lease that has not run out goes on.
#pragma once

#include <plurix/dsm/resync.h>

namespace plurix {

/// What entering another epoch, or losing it, does to each part of the protocol.
class EpochSwitch {
 public:
  EpochSwitch(CoreContext& core, PageDirectory& directory, Attempt& attempt, CatchUp& catch_up,
              Paging& paging, Token& token, Membership& membership, Imaging& imaging) noexcept
      : core_(core),
        directory_(directory),
        attempt_(attempt),
        catch_up_(catch_up),
        paging_(paging),
        token_(token),
        membership_(membership),
        imaging_(imaging) {}

  /// No message of an epoch older than `epoch` counts from now on; the running attempt is lost.
  void promise(Epoch epoch) noexcept;

  /// No attempt is running, so that an epoch can begin or end here.
  bool possible() const noexcept { return !attempt_.active(); }

  void enter(const wire::EpochBegin& begin, Bytes members) noexcept;

  /// The cluster went on without this node: everything it knows is void.
  void start_new_life() noexcept;

  /// What this newcomer has joined is no cluster.
  void join_again() noexcept;

 private:
  void forget_cluster() noexcept;
  void go_back(const wire::EpochBegin& begin) noexcept;

  CoreContext& core_;
  PageDirectory& directory_;
  Attempt& attempt_;
  CatchUp& catch_up_;
  Paging& paging_;
  Token& token_;
  Membership& membership_;
  Imaging& imaging_;
};

class EpochMember {
 public:
  EpochMember(CoreContext& core, EpochSwitch& epochs, Membership& membership,
              Imaging& imaging) noexcept
      : core_(core), epochs_(epochs), membership_(membership), imaging_(imaging) {}

  /// A frame of the PageServer shows epoch `epoch`: if it is a newer one, nothing of ours counts.
  void on_newer(Epoch epoch) noexcept;

  void on_lease(const wire::EpochLease& lease) noexcept;

  /// Behind `asked_at` there was no PageServer process. It has begun no epoch without this node
  /// while the lease lasted, and one that comes back waits for longer than a lease before it begins
  /// one: so the lease goes on. One that has run out does not come back to life.
  void on_absence(Instant asked_at) noexcept;

  void on_open(const wire::EpochOpen& open) noexcept;
  void on_begin(const wire::EpochBegin& begin, Bytes members) noexcept;

  /// Before anything else in a step: whether the lease has run out.
  void check_lease() noexcept;

  /// Somebody here waits for an image: the PageServer shall know at once.
  void ask_for_image() noexcept { next_query_ = core_.now; }

  void on_timer() noexcept;
  Instant deadline() const noexcept;

 private:
  bool has_page_server() const noexcept {
    return core_.member && core_.page_server != kNoNode && core_.page_server != core_.self;
  }
  bool lists_us(const wire::EpochBegin& begin, Bytes members) const noexcept;
  void report(Epoch epoch) noexcept;

  CoreContext& core_;
  EpochSwitch& epochs_;
  Membership& membership_;
  Imaging& imaging_;
  static constexpr std::uint32_t kQueriesInALease = 4;
  static constexpr std::int64_t kQuestionsInAbsence = 16;

  NodeId watched_ = kNoNode;  ///< the PageServer the lease is of
  Instant lease_from_;
  Instant answered_from_;  ///< the same, of the newest lease that the PageServer gave
  Instant next_query_ = kNever;
  std::uint32_t queries_ = 0;
  Instant asked_at_[kQueriesInALease];  ///< the newest queries, by number
};

}  // namespace plurix

// What this node knows of every page: whether it has it, who owns it, when it was last written, and
// what the application's view may do with it now.
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/dsm/arena.h>
#include <plurix/dsm/core_context.h>

#include <span>

namespace plurix {

/// As in IVY (Li 1988): a page is absent, a copy of what another node owns, or owned here.
enum class PageState : std::uint8_t { kAbsent, kCopy, kOwned };

class PageDirectory {
 public:
  PageDirectory(CoreContext& core, Arena& arena, std::byte* frames) noexcept
      : core_(core),
        frames_(frames),
        state_(arena.take<PageState>(core.config.geometry.pages)),
        rights_(arena.take<Rights>(core.config.geometry.pages)),
        owner_(arena.take<NodeId>(core.config.geometry.pages)),
        written_(arena.take<CommitTime>(core.config.geometry.pages)) {
    for (auto& owner : owner_) owner = kNoNode;
  }

  std::uint32_t pages() const noexcept { return core_.config.geometry.pages; }
  PageState state(PageIndex page) const noexcept { return state_[page]; }
  std::span<const PageState> states() const noexcept { return state_; }
  void set_state(PageIndex page, PageState state) noexcept { state_[page] = state; }

  /// The presumed owner, kNoNode if unknown. A hint: it may be wrong, and then costs a message.
  NodeId owner_hint(PageIndex page) const noexcept { return owner_[page]; }
  void set_owner_hint(PageIndex page, NodeId node) noexcept { owner_[page] = node; }

  std::span<const CommitTime> written() const noexcept { return written_; }

  /// Time of the last applied commit that named the page.
  CommitTime written(PageIndex page) const noexcept { return written_[page]; }
  void set_written(PageIndex page, CommitTime time) noexcept { written_[page] = time; }

  /// No commit ever named the page, so it has its first contents everywhere (those of a formatted
  /// heap: zero behind the first pages) and nobody needs to be asked: nobody owns it, and nobody
  /// would answer.
  bool never_written(PageIndex page) const noexcept {
    if (mutated("gap_page_asked_for")) return page >= core_.high_water;
    return written_[page] == CommitTime{};
  }

  std::span<std::byte, kPageSize> frame(PageIndex page) const noexcept {
    return std::span<std::byte, kPageSize>{frames_ + std::size_t{page} * kPageSize, kPageSize};
  }

  Rights rights(PageIndex page) const noexcept { return rights_[page]; }

  /// The heap as it was before the first commit: nobody owns anything, every frame has its first
  /// contents again once the kHeapErased action was performed.
  void erase() noexcept;

  /// The same, but pages that are here, and were last written before `time`, stay as copies. The
  /// formatted ones do not. Frames of pages before `asked_for` keep what they hold: nobody looks at
  /// them before their contents have come from their owner.
  void erase_since(CommitTime time, PageIndex asked_for) noexcept;

  /// Sets the view's rights of one page; neighbouring pages of one step share an action.
  void protect(PageIndex page, Rights rights) noexcept;

  /// Takes all rights away from every page: always allowed, faults give them back.
  void protect_nothing_left() noexcept;

 private:
  CoreContext& core_;
  std::byte* frames_;
  std::span<PageState> state_;
  std::span<Rights> rights_;
  std::span<NodeId> owner_;
  std::span<CommitTime> written_;
};

}  // namespace plurix

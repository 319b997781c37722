// One execution of a transaction's body: what it has read and written so far, the shadow images of
// what it has written, and whether a commit of another node has doomed it (paper section 2.3).
//
// Invariants
// - A page is in the read set before the application sees a byte of it, and in the write set, its
//   shadow image taken, before the application changes a byte of it.
// - A doomed attempt is never committed, and its live stamp no longer matches any page's stamp, so
//   that the next checked access notices.
// - Outside an attempt both sets are empty.
#pragma once

#include <plurix/dsm/page_directory.h>
#include <plurix/dsm/page_watch.h>

#include <atomic>

namespace plurix {

class Attempt {
 public:
  Attempt(const CoreContext& core, PageDirectory& directory, Arena& arena) noexcept
      : directory_(directory),
        read_stamp_(arena.take<std::uint64_t>(core.config.geometry.pages)),
        write_stamp_(arena.take<std::uint64_t>(core.config.geometry.pages)),
        read_set_(arena.take<PageIndex>(core.config.geometry.pages)),
        write_set_(arena.take<PageIndex>(core.config.shadow_pages)),
        slot_(arena.take<std::uint32_t>(core.config.geometry.pages)),
        shadows_(arena.take<std::byte>(std::size_t{core.config.shadow_pages} * kPageSize)) {}

  /// Starts an attempt. Its number is larger than that of every earlier one of this node.
  void begin() noexcept;

  /// Forgets the sets; the pages stay as they are. The end of a committed or read-only attempt.
  void end() noexcept;

  /// Restores every written page from its shadow image, then forgets the sets (DESIGN T3).
  void roll_back() noexcept;

  bool active() const noexcept { return active_; }
  bool doomed() const noexcept { return doomed_; }
  std::uint64_t number() const noexcept { return number_; }

  /// The page whose invalidation doomed the attempt, and the commit that did it.
  PageIndex collision_page() const noexcept { return collision_page_; }
  CommitTime collision_time() const noexcept { return collision_time_; }

  /// From now on every page this node holds counts as read: for bodies that follow plain pointers,
  /// whose reads nobody records.
  void read_everything() noexcept { reads_everything_ = true; }
  bool reads_everything() const noexcept { return reads_everything_; }

  bool has_read(PageIndex page) const noexcept {
    return (read_stamp_[page] & ~kWatched) == number_;
  }
  bool has_written(PageIndex page) const noexcept {
    return (write_stamp_[page] & ~kWatched) == number_;
  }
  std::span<const PageIndex> read_set() const noexcept { return read_set_.first(reads_); }
  std::span<const PageIndex> write_set() const noexcept { return write_set_.first(writes_); }

  /// Sorts the write set by page, for those who work on ranges.
  std::span<const PageIndex> sorted_write_set() noexcept;

  void add_read(PageIndex page) noexcept;

  /// Takes the shadow image and adds the page to both sets. False when no shadow page is left; the
  /// attempt is unchanged then.
  [[nodiscard]] bool add_write(PageIndex page) noexcept;

  /// What the rest of the cluster may see of a page: the shadow image if this attempt wrote it.
  std::span<std::byte, kPageSize> committed_contents(PageIndex page) const noexcept;

  /// A commit at `time` by `writer` names `page`, which is still in its old state here.
  void collide(PageIndex page, CommitTime time, NodeId writer = kNoNode) noexcept;

  /// Dooms the attempt whatever it read (resynchronization, leaving).
  void doom(PageIndex page, CommitTime time) noexcept;

  /// Pages whose every access is told to an observer, from the next attempt on.
  PageWatch& watch() noexcept { return watch_; }

  /// An access was recorded: tells the observer if the page is watched.
  void tell(PageIndex page, std::uint64_t offset, std::uint64_t size, Access access) noexcept {
    if (watch_.watches(page)) [[unlikely]]
      tell_access(page, offset, size, access);
  }

  /// The stamps the application's access check compares: an access to `page` is recorded already
  /// when stamps[page] equals the live stamp.
  const std::uint64_t* read_stamps() const noexcept { return read_stamp_.data(); }
  const std::uint64_t* write_stamps() const noexcept { return write_stamp_.data(); }
  const std::atomic<std::uint64_t>& live_stamp() const noexcept { return live_stamp_; }

 private:
  static constexpr std::uint64_t kNoStamp = ~std::uint64_t{0};
  /// In a stamp: it shall not match the live stamp, so that the next access is told, too.
  static constexpr std::uint64_t kWatched = std::uint64_t{1} << 63;

  std::uint64_t stamp_for(PageIndex page) const noexcept {
    return watch_.watches(page) ? number_ | kWatched : number_;
  }
  void tell_access(PageIndex page, std::uint64_t offset, std::uint64_t size,
                   Access access) noexcept;
  void tell_overwritten(PageIndex page, NodeId writer) noexcept;
  void tell_collided(PageIndex page, NodeId writer) noexcept;

  std::span<std::byte, kPageSize> shadow(PageIndex page) const noexcept {
    return std::span<std::byte, kPageSize>{shadows_.data() + std::size_t{slot_[page]} * kPageSize,
                                           kPageSize};
  }

  PageDirectory& directory_;
  PageWatch watch_;
  std::span<std::uint64_t> read_stamp_;
  std::span<std::uint64_t> write_stamp_;
  std::span<PageIndex> read_set_;
  std::span<PageIndex> write_set_;
  std::span<std::uint32_t> slot_;
  std::span<std::byte> shadows_;
  std::size_t reads_ = 0;
  std::size_t writes_ = 0;
  std::uint64_t number_ = 0;
  std::atomic<std::uint64_t> live_stamp_ = kNoStamp;
  bool active_ = false;
  bool doomed_ = false;
  bool reads_everything_ = false;
  PageIndex collision_page_ = kNoPage;
  CommitTime collision_time_;
};

}  // namespace plurix

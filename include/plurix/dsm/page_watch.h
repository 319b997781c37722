// A few pages that somebody has an eye on, and what happens to them: how one learns which objects
// of which nodes collide (gc/, the monitor of false sharing). A page that nobody watches costs one
// look at a word when an attempt touches it first, and nothing after that. On a watched page every
// checked access is told, because its stamps never match.
#pragma once

#include <plurix/base/page.h>
#include <plurix/base/types.h>

#include <span>

namespace plurix {

/// An access of an attempt to a watched page.
struct PageAccess {
  std::uint64_t attempt = 0;
  PageIndex page = kNoPage;
  std::uint32_t begin = 0;  ///< bytes from the page's first
  std::uint32_t end = 0;
  Access access = Access::kRead;
};

/// What is told, in whatever context it happens: neither wait nor throw nor allocate.
struct PageObserver {
  using Contents = std::span<const std::byte, kPageSize>;

  void* self = nullptr;
  /// An attempt touches a watched page, whose last committed contents are told with it.
  void (*accessed)(void* self, const PageAccess& access, Contents committed) noexcept = nullptr;
  /// Another node's commit names a watched page.
  void (*overwritten)(void* self, PageIndex page, NodeId writer) noexcept = nullptr;
  /// A commit of `writer` dooms the running attempt because of that page, watched or not; its
  /// contents are those before that commit.
  void (*collided)(void* self, PageIndex page, NodeId writer, std::uint64_t attempt,
                   Contents committed) noexcept = nullptr;
};

class PageWatch {
 public:
  static constexpr std::size_t kLimit = 16;

  void observe(const PageObserver& observer) noexcept { observer_ = observer; }
  const PageObserver& observer() const noexcept { return observer_; }

  bool watches(PageIndex page) const noexcept {
    if ((filter_ >> (page % 64) & 1) == 0) [[likely]]
      return false;
    return find(page) < count_;
  }

  /// False if as many pages are watched as can be.
  bool add(PageIndex page) noexcept {
    if (watches(page)) return true;
    if (count_ == kLimit) return false;
    pages_[count_++] = page;
    filter_ |= std::uint64_t{1} << (page % 64);
    return true;
  }

  void remove(PageIndex page) noexcept {
    const auto place = find(page);
    if (place == count_) return;
    pages_[place] = pages_[--count_];
    filter_ = 0;
    for (std::size_t i = 0; i < count_; ++i) filter_ |= std::uint64_t{1} << (pages_[i] % 64);
  }

 private:
  std::size_t find(PageIndex page) const noexcept {
    std::size_t i = 0;
    while (i < count_ && pages_[i] != page) ++i;
    return i;
  }

  PageObserver observer_;
  std::uint64_t filter_ = 0;  ///< bit page % 64: one of these pages is watched
  PageIndex pages_[kLimit] = {};
  std::size_t count_ = 0;
};

}  // namespace plurix

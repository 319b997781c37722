// ClosingPages: the pages a fault source has yet to close. They come in the order of commits and go
// in that of addresses, so that neighbours share a call of the kernel.
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/base/page.h>

#include <algorithm>
#include <cstdint>

namespace plurix::posix {

class ClosingPages {
  struct Run {
    PageIndex first;
    PageIndex end;
  };

 public:
  static constexpr std::size_t kMostRuns = 512;

  /// A longer run is worth a call of its own.
  static constexpr std::uint32_t kLongestRun = 4096;

  bool empty() const noexcept { return runs_.empty(); }

  /// False when there is no room for another one after this: take them.
  [[nodiscard]] bool add(PageIndex first, std::uint32_t count) noexcept {
    if (!runs_.empty() && runs_[runs_.size() - 1].end == first) {
      runs_[runs_.size() - 1].end = first + count;
      return true;
    }
    const bool room = runs_.push({first, first + count});
    PLURIX_ASSERT(room);
    return !runs_.full();
  }

  /// Empties the list: `close(first, count)` for each run of pages that are `to_close(page)` still.
  /// A short gap of pages that are closed already (`closed(page)`) does not end a run.
  template <class ToClose, class Closed, class Close>
  void take_runs(ToClose to_close, Closed closed, Close close) noexcept {
    std::sort(runs_.begin(), runs_.end(), [](Run a, Run b) { return a.first < b.first; });
    Run open = {};  // not closed yet; empty: none
    const auto take = [&](PageIndex page) {
      if (!to_close(page)) return;
      if (page < open.end) return;  // said twice
      if (open.end != open.first && !is_joined(open.end, page, closed)) {
        close(open.first, open.end - open.first);
        open = {};
      }
      if (open.end == open.first) open.first = page;
      open.end = page + 1;
    };
    for (const auto& run : runs_) {
      for (auto page = run.first; page < run.end; ++page) take(page);
    }
    if (open.end != open.first) close(open.first, open.end - open.first);
    runs_.clear();
  }

 private:
  static constexpr PageIndex kLongestGap = 16;

  template <class Closed>
  static bool is_joined(PageIndex end, PageIndex page, Closed closed) noexcept {
    if (page - end > kLongestGap) return false;
    for (auto between = end; between < page; ++between) {
      if (!closed(between)) return false;
    }
    return true;
  }

  BoundedVector<Run, kMostRuns> runs_;
};

}  // namespace plurix::posix

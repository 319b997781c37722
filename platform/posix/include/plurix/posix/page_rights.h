// PageRights: what a fault source was asked for and what the kernel enforces, page by page, and the
// pages it has yet to close. Those come in the order of commits and go in that of addresses, so
// that neighbours share a call of the kernel.
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/base/page.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace plurix::posix {

/// One thread, its signal handlers included. Nothing is allocated once it is made.
class PageRights {
 public:
  struct Run {
    PageIndex first = 0;
    std::uint32_t count = 0;
  };

  static constexpr std::size_t kMostRuns = 512;

  /// A longer run is worth a call of its own.
  static constexpr std::uint32_t kLongestRun = 4096;

  explicit PageRights(std::uint32_t pages)
      : wanted_(pages, Rights::kNone), mapped_(pages, Rights::kNone) {}

  std::uint32_t pages() const noexcept { return static_cast<std::uint32_t>(wanted_.size()); }
  Rights wanted(PageIndex page) const noexcept { return wanted_[page]; }

  /// What the kernel enforces: more than is wanted only where a page waits to be closed.
  Rights mapped(PageIndex page) const noexcept { return mapped_[page]; }

  /// Returns what the kernel must be told of it: the range without the ends that are so already.
  [[nodiscard]] Run want(PageIndex first, std::uint32_t count, Rights rights) noexcept {
    note(first, count, rights);
    while (count > 0 && mapped_[first] == rights) ++first, --count;
    while (count > 0 && mapped_[first + count - 1] == rights) --count;
    return {first, count};
  }

  /// The kernel enforces it now.
  void set_mapped(PageIndex first, std::uint32_t count, Rights rights) noexcept {
    std::fill_n(&mapped_[first], count, rights);
  }

  /// False when there is no room for another run after this: call take_waiting().
  [[nodiscard]] bool want_closed_later(PageIndex first, std::uint32_t count) noexcept {
    note(first, count, Rights::kNone);
    if (!waiting_.empty()) {
      auto& last = waiting_[waiting_.size() - 1];
      if (last.first + last.count == first) {
        last.count += count;
        return true;
      }
    }
    const bool room = waiting_.push({first, count});
    PLURIX_ASSERT(room);
    return !waiting_.full();
  }

  bool anything_waits() const noexcept { return !waiting_.empty(); }

  /// Nothing waits any more: calls `close(Run)`, which says set_mapped, for each run of pages that
  /// are to be closed still. A short gap of pages that are closed already does not end a run.
  template <class Close>
  void take_waiting(Close close) noexcept {
    std::sort(waiting_.begin(), waiting_.end(), [](Run a, Run b) { return a.first < b.first; });
    Run run;
    for (const auto& named : waiting_) {
      for (auto page = named.first; page < named.first + named.count; ++page) {
        const bool is_open = wanted_[page] == Rights::kNone && mapped_[page] != Rights::kNone;
        if (!is_open || page < run.first + run.count) continue;  // or named twice
        if (run.count > 0 && !are_joined(run.first + run.count, page)) {
          close(run);
          run = {};
        }
        if (run.count == 0) run.first = page;
        run.count = page + 1 - run.first;
      }
    }
    if (run.count > 0) close(run);
    waiting_.clear();
  }

 private:
  static constexpr PageIndex kLongestGap = 16;

  void note(PageIndex first, std::uint32_t count, Rights rights) noexcept {
    PLURIX_ASSERT(first <= wanted_.size() && count <= wanted_.size() - first);
    std::fill_n(&wanted_[first], count, rights);
  }

  bool are_joined(PageIndex end, PageIndex page) const noexcept {
    if (page - end > kLongestGap) return false;
    return std::all_of(&mapped_[end], &mapped_[page], [](Rights r) { return r == Rights::kNone; });
  }

  std::vector<Rights> wanted_;
  std::vector<Rights> mapped_;
  BoundedVector<Run, kMostRuns> waiting_;
};

}  // namespace plurix::posix

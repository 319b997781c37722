// The oracle for the collector: what a mark-sweep over a heap that nobody changes finds. Nodes do
// not collect this way.
#pragma once

#include <plurix/transaction.h>

#include <unordered_set>
#include <vector>

namespace plurix::workloads {

/// Every object that a root leads to, and how many there are that none leads to.
struct Reachable {
  std::unordered_set<std::uint64_t> objects;  ///< headers
  std::uint64_t garbage = 0;
};

class MarkSweep {
 public:
  explicit MarkSweep(Transaction& t) : t_(t) {}

  Reachable run() {
    mark(t_.load(heap::offset_of(heap::Regions::kRoots)));
    while (!grey_.empty()) {
      const auto header = grey_.back();
      grey_.pop_back();
      heap::LinkWalk links(t_, header);
      while (const auto slot = links.next()) mark(t_.load(slot));
    }
    const auto r = heap::regions(t_.pages());
    for (auto page = r.first; page < r.end; ++page) sweep(page);
    return found_;
  }

 private:
  void mark(std::uint64_t word) {
    const auto target = word & ~heap::kTargetFlags;
    if (target == 0 || (word & heap::kWeak) != 0) return;
    const auto header = heap::header_of(t_, target);
    if (found_.objects.insert(header).second) grey_.push_back(header);
  }

  void sweep(PageIndex page) {
    const auto entry = heap::page_entry(t_, page);
    if (entry.use != heap::PageUse::kSmall) return;
    const auto& own = t_.reading<heap::NodeState>(heap::state_of(t_, entry.node))
                          ->of[static_cast<std::size_t>(entry.placement)];
    if (page >= own.run_next && page < own.run_end) return;
    for (auto at = heap::offset_of(page) + sizeof(heap::PageHeader);
         at < heap::offset_of(page) + kPageSize;) {
      const heap::Tag tag(t_.load(at));
      if (tag.is_object() && !tag.has(heap::Tag::kPinned)) {
        found_.garbage += found_.objects.count(at) == 0 ? 1 : 0;
      }
      at += tag.bytes();
    }
  }

  Transaction& t_;
  std::vector<std::uint64_t> grey_;
  Reachable found_;
};

inline Reachable reachable(Transaction& t) { return MarkSweep(t).run(); }

}  // namespace plurix::workloads

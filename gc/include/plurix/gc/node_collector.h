// NodeCollector: makes the steps of a node's collector, each a transaction of that node. It gives
// way: a step that collides is not repeated at once, and after it so many others are left out. A
// step that needs more shadow pages than there are is made smaller.
//
//   gc::NodeCollector collector(node, storage);
//   while (collector.collect()) {}            // until nothing is left that this node knows of
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/base/time.h>
#include <plurix/gc/collector.h>
#include <plurix/outcome.h>
#include <plurix/transaction.h>

#include <algorithm>

namespace plurix::gc {

struct NodeCollectorCounters {
  std::uint64_t steps = 0;      ///< committed
  std::uint64_t gave_way = 0;   ///< to transactions of other nodes
  std::uint64_t too_large = 0;  ///< wrote more pages than a transaction may
  Duration longest;             ///< step, with its commit, as its own node's clock saw it
};

template <class Node>
class NodeCollector {
 public:
  NodeCollector(Node& node, std::uint32_t pages, std::span<std::byte> storage) noexcept
      : node_(node), collector_(pages, storage) {}

  static constexpr std::size_t storage_needed(std::uint32_t pages) noexcept {
    return Collector::storage_needed(pages);
  }

  /// One step, unless it is left out. True if there may be more to do. Not inside a transaction.
  bool collect(Occasion occasion = Occasion::kIdle, const Budget& budget = {}) {
    if (leave_out_ > 0) {
      --leave_out_;
      return true;
    }
    const auto began = node_.now();
    bool more = false;
    const auto outcome = node_.try_run([&](Transaction& t) -> Verdict {
      if (t.attempt() > kAttempts) return t.cancel("the collector gives way");
      const auto& core = node_.protocol().core();
      if (core.counters.commits != commits_) collector_.forget_alive();
      more = collector_.step(t, occasion, members(core), core.epoch, reduced(budget));
      t.on_commit([this, &core] { commits_ = core.counters.commits; });
      return t.commit();
    });
    if (outcome.out_of_memory() && halvings_ < kMostHalvings) {
      ++counters_.too_large;
      if (!mutated("too_large_a_step_again")) ++halvings_;
      return true;
    }
    if (!outcome.committed()) return give_way(outcome);
    ++counters_.steps;
    if (halvings_ > 0) --halvings_;
    counters_.longest = std::max(counters_.longest, node_.now() - began);
    next_leave_out_ = 0;
    return more;
  }

  /// The next step is left out.
  bool rests() const noexcept { return leave_out_ > 0; }

  const Collector& collector() const noexcept { return collector_; }
  const NodeCollectorCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::uint32_t kAttempts = 2;
  static constexpr std::uint32_t kMostLeftOut = 64;
  static constexpr std::uint32_t kMostHalvings = 6;

  template <class Core>
  static Members members(const Core& core) noexcept {
    Members members{.mask = std::uint64_t{1} << core.self, .self = core.self};
    for (NodeId node = 0; node < kMaxNodes; ++node) {
      if (core.is_member[node]) members.mask |= std::uint64_t{1} << node;
    }
    return members;
  }

  /// Half of the shadow pages are for what a step has begun when its budget is used up.
  Budget reduced(const Budget& budget) const noexcept {
    const auto pages = node_.protocol().core().config.shadow_pages / 2;
    return {.work = budget.work >> halvings_,
            .pages_written = std::min(budget.pages_written, pages) >> halvings_,
            .pages_beyond = std::min(budget.pages_beyond, pages) >> halvings_};
  }

  template <class Result>
  bool give_way(const Result& outcome) noexcept {
    if (outcome.unknown()) return false;  // the node was stopped
    ++counters_.gave_way;
    next_leave_out_ = std::min(2 * next_leave_out_ + 1, kMostLeftOut);
    leave_out_ = next_leave_out_;
    return true;
  }

  Node& node_;
  Collector collector_;
  NodeCollectorCounters counters_;
  std::uint64_t commits_ = 0;  ///< of the node, the last step's included
  std::uint32_t leave_out_ = 0;
  std::uint32_t next_leave_out_ = 0;
  std::uint32_t halvings_ = 0;  ///< of the budget
};

}  // namespace plurix::gc

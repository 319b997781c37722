// A node's collector with the memory it needs; and a node without a network that has one.
#pragma once

#include <plurix/gc/node_collector.h>

#include <memory>
#include <vector>

#include "support/lone_node.h"
#include "workloads/mark_sweep.h"

namespace plurix::testing {

using workloads::reachable;

template <class Node>
class OwnedCollector {
 public:
  OwnedCollector(Node& node, std::uint32_t pages)
      : storage_(gc::Collector::storage_needed(pages) / sizeof(std::uint64_t)),
        collector_(std::make_unique<gc::NodeCollector<Node>>(
            node, pages, std::as_writable_bytes(std::span(storage_)))) {}

  gc::NodeCollector<Node>* operator->() noexcept { return collector_.get(); }

 private:
  std::vector<std::uint64_t> storage_;
  std::unique_ptr<gc::NodeCollector<Node>> collector_;
};

/// Every second transaction is executed twice, as after a collision: what a collector keeps in
/// memory must not take for done what was taken back.
class LoneCollector {
 public:
  explicit LoneCollector(std::uint32_t pages = 512)
      : pages_(pages), node_(pages, pages, 2), collector_(node_.node(), pages) {}

  LoneNode& node() noexcept { return node_; }
  gc::NodeCollector<LoneNode::NodeType>& collector() noexcept { return *collector_.operator->(); }
  const gc::CollectorCounters& counters() noexcept { return collector().collector().counters(); }

  /// Collects until nothing is left; how many steps that took.
  int collect_all(const gc::Budget& budget = {}) {
    int steps = 1;
    while (collector().collect(gc::Occasion::kIdle, budget)) {
      if (++steps > 100'000) return -1;
    }
    return steps;
  }

  /// The collector of a node that has crashed and come back: it knows only what the heap tells.
  void restart() { collector_ = OwnedCollector(node_.node(), pages_); }

  /// Objects that no root leads to, found by looking at all of them.
  std::uint64_t garbage() {
    return node_->run([](Transaction& t) { return reachable(t).garbage; });
  }

 private:
  std::uint32_t pages_;
  LoneNode node_;
  OwnedCollector<LoneNode::NodeType> collector_;
};

}  // namespace plurix::testing

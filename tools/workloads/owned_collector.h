// A node's collector with the memory it needs.
#pragma once

#include <plurix/gc/node_collector.h>

#include <cstdlib>
#include <memory>
#include <new>

namespace plurix::workloads {

template <class Node>
class OwnedCollector {
 public:
  explicit OwnedCollector(Node& node) : OwnedCollector(node, pages_of(node)) {}

  gc::NodeCollector<Node>& operator*() noexcept { return *collector_; }
  gc::NodeCollector<Node>* operator->() noexcept { return collector_.get(); }

  /// Collects until this node knows of nothing more.
  void collect_all(Node& node) {
    while (!node.stopped() && collector_->collect()) {
      if (collector_->rests()) node.serve(node.now() + microseconds(50));
    }
  }

 private:
  using Collector = gc::NodeCollector<Node>;

  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };

  OwnedCollector(Node& node, std::uint32_t pages)
      : memory_(allocate(Collector::storage_needed(pages))),
        collector_(std::make_unique<Collector>(
            node, pages,
            std::span(static_cast<std::byte*>(memory_.get()), Collector::storage_needed(pages)))) {}

  static std::uint32_t pages_of(Node& node) { return node.protocol().core().config.geometry.pages; }

  /// Zeroed, and not touched before it is used.
  static void* allocate(std::size_t bytes) {
    auto* memory = std::calloc(1, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }

  std::unique_ptr<void, Free> memory_;
  std::unique_ptr<Collector> collector_;
};

}  // namespace plurix::workloads

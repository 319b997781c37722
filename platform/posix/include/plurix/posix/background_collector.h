// The collector of a hosted node, which makes its steps by itself: a few between the transactions
// of the program, and as many as there is need for while the node serves.
#pragma once

#include <plurix/gc/node_collector.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace plurix::posix {

template <class Node>
class BackgroundCollector {
 public:
  /// Throws std::bad_alloc: it needs a 13th of the heap's size, and touches what it uses.
  explicit BackgroundCollector(Node& node) : BackgroundCollector(node, pages_of(node)) {}

  /// To be called after each transaction of the program. Steps come the more often, up to one after
  /// each, the longer there is more to do.
  void after_transaction() {
    rests_ = false;
    waits_in_vain_ = 0;
    if (++since_step_ < between_) return;
    since_step_ = 0;
    const bool more = collector_.collect(gc::Occasion::kBetweenTransactions);
    between_ = more ? std::max(between_ / 2, 1u) : std::min(between_ * 2, kMostBetween);
  }

  /// A step of an idle node. True if there may be more to do.
  bool idle() { return collector_.collect(gc::Occasion::kIdle); }

  /// Nothing was left to do after the program's last transaction, or it took too long to wait for.
  bool rests() const noexcept { return rests_ || waits_in_vain_ == kMostInVain; }

  /// Some steps of a node whose program is about to wait.
  void work_before_a_wait() {
    constexpr int kSteps = 16;
    for (int i = 0; i < kSteps && !rests(); ++i, ++waits_in_vain_) rests_ = !idle();
  }

  /// The heap is full: goes on until there is nothing more to free, or nothing more was freed for
  /// long. Whether anything was.
  bool make_room() {
    const auto before = freed();
    auto last = before;
    for (std::uint32_t vain = 0; vain < kMostInVain && idle(); ++vain) {
      if (freed() != last) vain = 0;
      last = freed();
    }
    return last != before;
  }

  const gc::NodeCollector<Node>& operator*() const noexcept { return collector_; }

 private:
  static constexpr std::uint32_t kMostBetween = 64;   ///< transactions
  static constexpr std::uint32_t kMostInVain = 1000;  ///< steps

  std::uint64_t freed() const noexcept { return collector_.collector().counters().freed; }

  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };

  BackgroundCollector(Node& node, std::uint32_t pages)
      : memory_(zeroed(gc::NodeCollector<Node>::storage_needed(pages))),
        collector_(node, pages,
                   std::span(static_cast<std::byte*>(memory_.get()),
                             gc::NodeCollector<Node>::storage_needed(pages))) {}

  static std::uint32_t pages_of(Node& node) { return node.protocol().core().config.geometry.pages; }

  static void* zeroed(std::size_t bytes) {
    auto* memory = std::calloc(1, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
  }

  std::unique_ptr<void, Free> memory_;
  gc::NodeCollector<Node> collector_;
  std::uint32_t since_step_ = 0;
  std::uint32_t between_ = 16;
  bool rests_ = false;
  std::uint32_t waits_in_vain_ = 0;  ///< steps since the program's last transaction
};

}  // namespace plurix::posix

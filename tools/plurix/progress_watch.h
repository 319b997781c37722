// ProgressWatch: notices a node that has finished no transaction for too long.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "node_fleet.h"

namespace plurix::tool {

class ProgressWatch {
 public:
  using Clock = std::chrono::steady_clock;

  ProgressWatch(const NodeFleet& fleet, Clock::duration patience) : patience_(patience) {
    for (const auto& node : fleet.nodes()) seen_.push_back({finished(*node), Clock::now(), false});
  }

  /// The index of a node whose patience has run out.
  std::optional<std::size_t> look(const NodeFleet& fleet) {
    const auto now = Clock::now();
    for (const auto& node : fleet.nodes()) {
      auto& seen = seen_[node->index()];
      if (finished(*node) != seen.finished) seen = {finished(*node), now, true};
      if (now - seen.at > patience_) return node->index();
    }
    return {};
  }

  /// Every node has finished something since this watch began.
  bool all_have_moved() const {
    return std::all_of(seen_.begin(), seen_.end(), [](const Seen& seen) { return seen.moved; });
  }

 private:
  struct Seen {
    std::uint64_t finished;
    Clock::time_point at;
    bool moved;
  };

  static std::uint64_t finished(const ChildNode& node) {
    return node.status().committed + node.status().cancelled;
  }

  const Clock::duration patience_;
  std::vector<Seen> seen_;
};

}  // namespace plurix::tool

// A commit strategy of one's own: whoever has applied the least asked longest ago, and goes first.
#pragma once

#include <plurix/concepts/commit_strategy.h>

struct OldestFirst {
  plurix::NodeId grant(std::span<const plurix::TokenRequest> waiting,
                       plurix::CommitTime) const noexcept {
    auto oldest = waiting.front();
    for (const auto& request : waiting) {
      if (request.time < oldest.time) oldest = request;
    }
    return oldest.node;
  }
};
static_assert(plurix::CommitStrategy<OldestFirst>);

// The same with a mistake that is easily made: the search begins with "now", so that nobody is
// chosen when everybody who waits is up to date.
struct OldestFirstOrNobody {
  plurix::NodeId grant(std::span<const plurix::TokenRequest> waiting,
                       plurix::CommitTime now) const noexcept {
    plurix::TokenRequest oldest{.time = now};
    for (const auto& request : waiting) {
      if (request.time < oldest.time) oldest = request;
    }
    return oldest.node;
  }
};
static_assert(plurix::CommitStrategy<OldestFirstOrNobody>);

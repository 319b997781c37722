// The paper's commit strategy (section 2.3): the token goes to whoever asked first. Nobody is
// guaranteed to get it: a late requester is refused, and a slow node may restart for ever.
#pragma once

#include <plurix/concepts/commit_strategy.h>

namespace plurix {

struct FirstWins {
  static constexpr std::uint32_t kHoldAfter = kNeverHold;

  NodeId grant(std::span<const TokenRequest> waiting, CommitTime) const noexcept {
    return waiting.front().node;
  }
};
static_assert(CommitStrategy<FirstWins>);

}  // namespace plurix

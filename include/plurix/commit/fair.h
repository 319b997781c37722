// A fair commit strategy (the paper's future work): requests age with the collisions of the
// transaction behind them, and are otherwise served in order of arrival. After kHoldAfter
// collisions an attempt runs while its node holds the token, so nothing can abort it again: the
// number of restarts of a transaction is at most kHoldAfter (DESIGN T4).
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/concepts/commit_strategy.h>

namespace plurix {

struct Fair {
  static constexpr std::uint32_t kHoldAfter = 4;

  NodeId grant(std::span<const TokenRequest> waiting, CommitTime) const noexcept {
    // Above the bound every request is as urgent as any other, so that arrival decides and nobody
    // is overtaken for ever.
    auto best = mutated("arrival_ignored") ? waiting.back() : waiting.front();
    for (const auto& request : waiting) {
      if (age(request) > age(best)) best = request;
    }
    return best.node;
  }

 private:
  static constexpr std::uint32_t age(const TokenRequest& request) noexcept {
    return request.collisions < kHoldAfter ? request.collisions : kHoldAfter;
  }
};
static_assert(CommitStrategy<Fair>);

}  // namespace plurix

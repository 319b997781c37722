// Who gets the token: pure choices among those who wait.
#include <gtest/gtest.h>
#include <plurix/commit/fair.h>
#include <plurix/commit/first_wins.h>

#include <vector>

namespace plurix {
namespace {

TokenRequest request(NodeId node, std::uint32_t collisions) {
  TokenRequest out;
  out.node = node;
  out.collisions = collisions;
  return out;
}

using Waiting = std::vector<TokenRequest>;

TEST(FirstWins, GrantsToWhoAskedFirstWhateverTheirCollisions) {
  EXPECT_EQ(FirstWins{}.grant(Waiting{request(5, 0), request(1, 99)}, {}), 5);
  EXPECT_EQ(FirstWins{}.grant(Waiting{request(1, 0)}, {}), 1);
}

TEST(FirstWins, NeverHoldsTheTokenForAnAttempt) {
  static_assert(hold_after<FirstWins>() == kNeverHold);
}

TEST(Fair, GrantsToWhoWasAbortedMostOften) {
  EXPECT_EQ(Fair{}.grant(Waiting{request(5, 0), request(1, 2), request(3, 1)}, {}), 1);
}

TEST(Fair, GrantsInOrderOfArrivalAmongEquals) {
  EXPECT_EQ(Fair{}.grant(Waiting{request(5, 2), request(1, 2), request(3, 2)}, {}), 5);
}

TEST(Fair, OvertakesNobodyWhoHasWaitedToTheBound) {
  const auto bound = Fair::kHoldAfter;
  EXPECT_EQ(Fair{}.grant(Waiting{request(5, bound), request(1, bound + 7)}, {}), 5);
}

TEST(HoldAfter, HasADefaultForAStrategyThatNamesNoBound) {
  struct Plain {
    NodeId grant(std::span<const TokenRequest> waiting, CommitTime) const noexcept {
      return waiting.front().node;
    }
  };
  static_assert(hold_after<Plain>() == kDefaultHoldAfter);
  static_assert(hold_after<Fair>() == Fair::kHoldAfter);
}

}  // namespace
}  // namespace plurix

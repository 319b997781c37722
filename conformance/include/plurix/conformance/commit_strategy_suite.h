// What every CommitStrategy promises, as one typed suite. A strategy joins by itself; it is default
// constructible:
//
//   namespace plurix::conformance {
//   INSTANTIATE_TYPED_TEST_SUITE_P(My, CommitStrategySuite, MyStrategy);
//   }
//
// A strategy that bounds restarts (`kHoldAfter`) must also serve everybody who waits; one that says
// kNeverHold has promised nothing of the kind and skips that test.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/commit_strategy.h>
#include <plurix/sim/explore.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace plurix::conformance {

/// Requests as a token holder may have them: one a node, in order of arrival, none from the future.
class RandomQueue {
 public:
  explicit RandomQueue(std::uint64_t seed) : prng_(seed) {}

  std::vector<TokenRequest> of(std::size_t count, CommitTime now) {
    std::vector<NodeId> nodes(kMaxNodes);
    for (NodeId node = 0; node < kMaxNodes; ++node) nodes[node] = node;
    std::vector<TokenRequest> waiting;
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(nodes[i], nodes[i + prng_.below(nodes.size() - i)]);
      waiting.push_back(request_of(nodes[i], now));
    }
    return waiting;
  }

  TokenRequest request_of(NodeId node, CommitTime now) {
    TokenRequest request;
    request.node = node;
    request.hops = static_cast<std::uint16_t>(prng_.below(5));
    request.collisions = static_cast<std::uint32_t>(prng_.below(prng_.chance(100'000) ? 1'000 : 6));
    request.number = 1 + static_cast<std::uint32_t>(prng_.below(1'000));
    request.time = {now.value - prng_.below(prng_.chance(500'000) ? 1 : now.value + 1)};
    return request;
  }

  Prng& prng() { return prng_; }

 private:
  Prng prng_;
};

inline bool waits(std::span<const TokenRequest> waiting, NodeId node) {
  return std::any_of(waiting.begin(), waiting.end(),
                     [node](const TokenRequest& request) { return request.node == node; });
}

template <class Strategy>
class CommitStrategySuite : public ::testing::Test {
 protected:
  static_assert(CommitStrategy<Strategy>);

  const Strategy strategy_{};
};

TYPED_TEST_SUITE_P(CommitStrategySuite);

TYPED_TEST_P(CommitStrategySuite, ChoosesOneOfThoseWhoWait) {
  RandomQueue queue(1);
  for (int round = 0; round < 2'000; ++round) {
    const CommitTime now{queue.prng().below(100)};
    const auto waiting = queue.of(1 + queue.prng().below(kMaxNodes), now);
    const auto chosen = this->strategy_.grant(waiting, now);
    ASSERT_TRUE(waits(waiting, chosen))
        << "round " << round << ": of " << waiting.size() << " nodes it chose " << chosen;
  }
}

TYPED_TEST_P(CommitStrategySuite, ChoosesTheOnlyOne) {
  RandomQueue queue(2);
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    const TokenRequest only[] = {queue.request_of(node, {9})};
    ASSERT_EQ(this->strategy_.grant(only, {9}), node);
  }
}

// Everybody up to date and nobody ever aborted: the quiet state a cluster begins in.
TYPED_TEST_P(CommitStrategySuite, ChoosesAmongEquals) {
  std::vector<TokenRequest> waiting;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    TokenRequest request;
    request.node = node;
    request.time = {7};
    waiting.push_back(request);
    ASSERT_TRUE(waits(waiting, this->strategy_.grant(waiting, {7}))) << waiting.size() << " wait";
  }
}

TYPED_TEST_P(CommitStrategySuite, IsAPureChoice) {
  RandomQueue queue(3);
  const TypeParam other{};
  for (int round = 0; round < 500; ++round) {
    const CommitTime now{queue.prng().below(100)};
    const auto waiting = queue.of(1 + queue.prng().below(8), now);
    const auto chosen = this->strategy_.grant(waiting, now);
    (void)this->strategy_.grant(queue.of(3, now), now);
    ASSERT_EQ(this->strategy_.grant(waiting, now), chosen) << "it remembers something";
    ASSERT_EQ(other.grant(waiting, now), chosen) << "two of them differ";
  }
}

// Somebody new asks after every grant, and whoever is passed over is aborted now and then: still
// the first one must come to its turn.
TYPED_TEST_P(CommitStrategySuite, PassesNobodyOverForEver) {
  if (hold_after<TypeParam>() == kNeverHold) GTEST_SKIP() << "it promises no bound";
  const std::size_t bound = kMaxNodes * (hold_after<TypeParam>() + std::size_t{2});
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RandomQueue queue(seed);
    CommitTime now{1'000};
    auto waiting = queue.of(kMaxNodes, now);
    for (auto& request : waiting) request.collisions = 0;
    const auto patient = waiting[queue.prng().below(waiting.size())].node;
    std::size_t grants = 0;
    for (auto chosen = kNoNode; chosen != patient; ++grants) {
      ASSERT_LT(grants, bound) << "seed " << seed << ": node " << patient << " still waits";
      chosen = this->strategy_.grant(waiting, now);
      now = now + 1;
      std::erase_if(waiting, [&](const auto& request) { return request.node == chosen; });
      for (auto& request : waiting) {
        request.time = now;  // what it lacked was sent to it
        if (queue.prng().chance(300'000)) ++request.collisions;
      }
      TokenRequest again;
      again.node = chosen;
      again.time = now;
      waiting.push_back(again);
    }
  }
}

TYPED_TEST_P(CommitStrategySuite, KeepsEveryInvariantUnderEveryFault) {
  const auto found =
      sim::explore({.seeds = 20, .nodes = 4, .transactions = 40}, sim::run_case<TypeParam>);
  if (found) FAIL() << sim::to_words(*found, "(the case above, run with sim::run_case)");
}

REGISTER_TYPED_TEST_SUITE_P(CommitStrategySuite, ChoosesOneOfThoseWhoWait, ChoosesTheOnlyOne,
                            ChoosesAmongEquals, IsAPureChoice, PassesNobodyOverForEver,
                            KeepsEveryInvariantUnderEveryFault);

}  // namespace plurix::conformance

// The token under the circumstances that are hard to meet by chance (DESIGN P1, T4).
#include <gtest/gtest.h>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

constexpr Match kRequests{.type = MessageType::kTokenRequest};
constexpr Match kGrants{.type = MessageType::kTokenGrant};
constexpr Match kAcks{.type = MessageType::kTokenAck};

void want_to_write(WiredCores& net, std::size_t n, PageIndex page, std::uint32_t collisions = 0) {
  net.begin(n);
  ASSERT_TRUE(net.store(n, page, 7));
  net.want_commit(n, collisions);
}

std::size_t holders(const WiredCores& net) {
  std::size_t count = 0;
  for (std::size_t n = 0; n < net.size(); ++n) count += net.core(n).token().held() ? 1 : 0;
  return count;
}

TEST(Granting, IsRepeatedUntilItIsAcknowledged) {
  WiredCores net({.nodes = 2});
  want_to_write(net, 1, 9);
  net.deliver_first(kRequests);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(net.lose(kGrants), 1u);
    EXPECT_TRUE(net.core(0).token().grant_unacknowledged());
    net.pass_for(0, milliseconds(100));
  }
  net.deliver_all();
  EXPECT_FALSE(net.core(1).attempt().active());
  EXPECT_EQ(holders(net), 1u);
  net.pass_for(0, milliseconds(1'000));
  EXPECT_EQ(net.count(kGrants), 0u);
}

TEST(Granting, IsNotTakenForArrivedBecauseAnEarlierOneWas) {
  WiredCores net({.nodes = 2});
  net.rule({.from = 1, .type = MessageType::kTokenAck}, Fate::kIsCopied, 1);
  net.commit(1, {4}, 40);
  net.commit(0, {4}, 41);
  want_to_write(net, 1, 9);
  net.deliver_first(kRequests);
  net.lose(kGrants);
  net.release();  // the acknowledgement of the first grant, once more
  net.deliver_all();
  EXPECT_TRUE(net.core(0).token().grant_unacknowledged());
  net.pass(milliseconds(50));
  EXPECT_FALSE(net.core(1).attempt().active());
}

TEST(Granting, TwiceMakesNoSecondToken) {
  WiredCores net({.nodes = 2});
  net.rule(kGrants, Fate::kIsCopied, 1);
  net.commit(1, {4}, 40);
  net.commit(0, {4}, 41);
  net.release();
  net.deliver_all();
  EXPECT_TRUE(net.core(0).token().held());
  EXPECT_FALSE(net.core(1).token().held());
  EXPECT_EQ(net.counters(1).token_duplicates, 1u);
}

TEST(Granting, GivesTheTokenUpBeforeItArrives) {
  WiredCores net({.nodes = 2});
  want_to_write(net, 1, 9);
  net.deliver_first(kRequests);
  EXPECT_EQ(holders(net), 0u);
  net.deliver_first(kGrants);
  EXPECT_EQ(holders(net), 1u);
  EXPECT_EQ(net.count(kAcks), 1u);
}

TEST(Granting, LeavesOneTokenHoweverOftenEverythingIsDoubledAndLate) {
  WiredCores net({.nodes = 3});
  net.rule({}, Fate::kIsCopied, 1'000);
  for (std::size_t i = 0; i < 30; ++i) {
    net.commit(i % 3, {static_cast<PageIndex>(i % 5)}, i);
    if (i % 4 == 3) net.release();
    net.deliver_all();
    ASSERT_LE(holders(net), 1u);
  }
  net.pass(milliseconds(100));
  EXPECT_EQ(holders(net), 1u);
}

TEST(Asking, IsRepeatedToAllWhenThePresumedHolderDoesNotAnswer) {
  WiredCores net({.nodes = 3});
  want_to_write(net, 1, 9);
  EXPECT_EQ(net.lose(kRequests), 1u);
  net.pass_for(1, net.core(1).core().config.token_retry);
  EXPECT_EQ(net.count(kRequests), 2u);
}

TEST(Asking, TwiceForOneWishIsFulfilledOnce) {
  WiredCores net({.nodes = 2});
  net.rule(kRequests, Fate::kIsCopied, 1);
  net.commit(1, {4}, 40);
  net.commit(0, {5}, 50);
  net.release();
  net.deliver_all();
  EXPECT_TRUE(net.core(0).token().held());
}

TEST(Asking, ReachesTheHolderAcrossNodesThatOnlyThinkTheyKnowIt) {
  WiredCores net({.nodes = 4});
  net.rule({.to = 3, .type = MessageType::kCommitNotice}, Fate::kIsLost, 100);
  net.commit(1, {4}, 40);
  net.commit(2, {5}, 50);
  want_to_write(net, 3, 9);  // believes in node 0
  net.deliver_all();
  EXPECT_FALSE(net.core(3).attempt().active());
  EXPECT_GT(net.counters(0).token_forwards, 0u);
}

TEST(Asking, OfALateNodeUnderTheFairStrategyMakesTheHolderWaitForIt) {
  WiredCores net({.nodes = 2, .fair = true});
  net.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsLost, 1);
  net.commit(0, {4}, 40);
  want_to_write(net, 1, 9);
  net.deliver_first(kRequests);  // late: it is helped
  want_to_write(net, 0, 4);
  EXPECT_TRUE(net.core(0).attempt().active());  // the holder waits
  net.deliver_all();
  EXPECT_FALSE(net.core(1).attempt().active());
  EXPECT_LT(net.core(1).last_commit(), net.core(0).last_commit());
}

TEST(Asking, OfALateNodeThatDoesNotComeBackStopsNobodyForLong) {
  WiredCores net({.nodes = 2, .fair = true});
  net.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsLost, 1);
  net.commit(0, {4}, 40);
  want_to_write(net, 1, 9);
  net.deliver_first(kRequests);
  net.cut_off(1, true);
  want_to_write(net, 0, 4);
  net.pass(milliseconds(100));
  EXPECT_FALSE(net.core(0).attempt().active());
}

TEST(Asking, IsForgottenWithTheWish) {
  WiredCores net({.nodes = 2});
  want_to_write(net, 1, 9);
  net.lose(kRequests);
  net.end(1);
  net.pass_for(1, milliseconds(100));
  EXPECT_EQ(net.count(kRequests), 0u);
}

}  // namespace
}  // namespace plurix::testing

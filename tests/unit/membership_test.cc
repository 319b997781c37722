// Joining and leaving under the circumstances that are hard to meet by chance.
#include <gtest/gtest.h>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

constexpr auto kLong = milliseconds(500);

void leave(WiredCores& net, std::size_t n) {
  net.step(n, event::LeaveWanted{});
  net.pass(kLong);
}

Value read(WiredCores& net, std::size_t n, PageIndex page) {
  net.begin(n);
  net.load(n, page);
  net.deliver_all();
  const auto value = net.load(n, page);
  net.end(n);
  return value.value_or(~Value{0});
}

TEST(Leaving, LosesNoPage) {
  WiredCores net({.nodes = 3});
  net.commit(1, {4, 5}, 50);
  net.commit(2, {6}, 60);
  leave(net, 1);
  EXPECT_FALSE(net.core(1).core().member);
  for (const std::size_t n : {0u, 2u}) {
    EXPECT_EQ(read(net, n, 4), 50u);
    EXPECT_EQ(read(net, n, 5), 50u);
    EXPECT_EQ(read(net, n, 6), 60u);
  }
}

TEST(Leaving, LosesNoPageTheSuccessorsAttemptHadWrittenWhenItWasAborted) {
  WiredCores net({.nodes = 3});
  net.commit(0, {4}, 42);
  net.begin(0);
  ASSERT_TRUE(net.store(0, 4, 60));
  net.commit(1, {4}, 50);
  ASSERT_TRUE(net.core(0).attempt().doomed());
  // Node 0 adopts page 4 while its body has not noticed yet that it is aborted.
  net.step(1, event::LeaveWanted{});
  net.pass(milliseconds(10));
  net.end(0);
  net.pass(kLong);
  EXPECT_FALSE(net.core(1).core().member);
  EXPECT_EQ(read(net, 2, 4), 50u);
  EXPECT_EQ(read(net, 0, 4), 50u);
}

TEST(Leaving, ShowsNothingNewToAnAbortedAttemptOfTheSuccessor) {
  WiredCores net({.nodes = 3});
  net.commit(0, {4}, 42);
  net.begin(0);
  ASSERT_EQ(net.load(0, 4), Value{42});
  net.commit(1, {4}, 50);
  net.step(1, event::LeaveWanted{});
  net.pass(milliseconds(10));
  EXPECT_EQ(net.frame(0, 4), 42u);  // one snapshot to its end
  net.end(0);
  net.pass(kLong);
  EXPECT_EQ(read(net, 2, 4), 50u);
}

TEST(Leaving, OfTheHolderPassesTheTokenOn) {
  WiredCores net({.nodes = 2});
  net.commit(0, {4}, 42);
  leave(net, 0);
  EXPECT_FALSE(net.core(0).core().member);
  net.commit(1, {4}, 43);
  EXPECT_EQ(read(net, 1, 4), 43u);
}

TEST(Leaving, OfTheLastOneEndsTheCluster) {
  WiredCores net({.nodes = 1});
  leave(net, 0);
  EXPECT_FALSE(net.core(0).core().member);
}

TEST(Leaving, OfTwoAtOnceEndsForBoth) {
  WiredCores net({.nodes = 3});
  net.commit(0, {4}, 40);
  net.commit(1, {5}, 50);
  net.step(0, event::LeaveWanted{});
  net.step(1, event::LeaveWanted{});
  net.pass(milliseconds(5'000));
  EXPECT_FALSE(net.core(0).core().member);
  EXPECT_FALSE(net.core(1).core().member);
  EXPECT_EQ(read(net, 2, 4), 40u);
  EXPECT_EQ(read(net, 2, 5), 50u);
}

TEST(Leaving, IsHeardOfByALeaverThatMissedItsOwnDeparture) {
  WiredCores net({.nodes = 3});
  net.step(1, event::LeaveWanted{});
  net.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsLost, 1);
  net.pass(kLong);
  EXPECT_FALSE(net.core(1).core().member);
  EXPECT_EQ(net.core(0).core().peers, 1u);
}

TEST(Joining, StartsWithWhatTheClusterHas) {
  WiredCores net({.nodes = 2, .later = 1});
  net.commit(0, {4}, 40);
  net.commit(1, {5}, 50);
  net.join(2);
  EXPECT_EQ(net.applied(2), net.applied(0));
  EXPECT_EQ(read(net, 2, 4), 40u);
  EXPECT_EQ(read(net, 2, 5), 50u);
  EXPECT_EQ(read(net, 2, 6), 0u);
  net.commit(2, {4}, 41);
  EXPECT_EQ(read(net, 1, 4), 41u);
}

TEST(Joining, GivesAFreeNumberOnceMoreAndTheNewMemberCommits) {
  WiredCores net({.nodes = 3, .later = 1});
  net.commit(1, {4}, 40);
  leave(net, 1);
  net.join(3);
  EXPECT_EQ(net.core(3).core().self, 1);
  net.commit(3, {5}, 50);
  EXPECT_EQ(read(net, 2, 5), 50u);
}

TEST(Joining, OfANewLifeThatAHolderMissedIsNotTakenForTheOldOne) {
  // Node 2 grants the token to node 1, is cut off while node 1 leaves and a newcomer gets its
  // number, and comes back by resynchronization. The newcomer's first request is not one that node
  // 2 has fulfilled before.
  WiredCores net({.nodes = 3, .later = 1});
  for (int i = 0; i < 3; ++i) {
    net.commit(1, {4}, 40);
    net.commit(2, {5}, 50);
  }
  net.commit(0, {6}, 60);
  net.cut_off(2, true);
  leave(net, 1);
  net.join(3);
  const auto enough = net.core(0).core().config.log_records + 10;
  for (std::uint32_t i = 0; i < enough; ++i) net.commit(0, {4}, i);
  net.cut_off(2, false);
  net.commit(0, {6}, 61);
  net.pass(kLong);
  ASSERT_EQ(net.counters(2).resyncs, 1u);
  net.commit(2, {5}, 51);  // node 2 holds the token
  net.begin(3);
  ASSERT_TRUE(net.store(3, 9, 90));
  net.want_commit(3);
  net.pass(kLong);
  EXPECT_FALSE(net.core(3).attempt().active());
}

TEST(Joining, OfNewLivesThatAMemberCouldNotHearIsFoundOutWhenItHearsThemAgain) {
  WiredCores net({.nodes = 3});
  net.commit(2, {4}, 40);
  net.commit(1, {5}, 50);  // has the token
  net.cut_off(2, true);
  leave(net, 1);
  net.replace(1, 1);
  net.ask_to_join(1);
  net.pass(kLong);
  leave(net, 0);
  net.replace(0, 1);
  net.ask_to_join(0, 1);
  net.pass(kLong);
  ASSERT_TRUE(net.core(0).core().in_service());
  net.cut_off(2, false);
  net.commit(0, {5}, 51);
  net.pass(kLong);
  net.commit(2, {4}, 41);
  EXPECT_EQ(read(net, 0, 4), 41u);
  EXPECT_EQ(read(net, 2, 5), 51u);
}

TEST(Joining, DoesNotTakeAnOlderTableForTheNewest) {
  // Core 2 does not get what there is, and asks for the table until core 3 is in it; then a grant
  // of before comes.
  WiredCores net({.nodes = 2, .later = 2});
  net.rule({.to = 2, .type = MessageType::kSyncReply}, Fate::kIsLost, 1'000);
  net.rule({.to = 2, .type = MessageType::kJoinGrant}, Fate::kIsCopied, 1);
  net.ask_to_join(2);
  net.pass(milliseconds(50));
  ASSERT_TRUE(net.core(2).core().resyncing);
  net.join(3);
  for (int i = 0; i < 100 && !net.core(2).core().is_member[3]; ++i) net.pass(milliseconds(5));
  ASSERT_TRUE(net.core(2).core().is_member[3]);
  ASSERT_TRUE(net.core(2).core().resyncing);
  ASSERT_LT(net.applied(2), net.applied(0));
  ASSERT_EQ(net.release(), 1u);
  net.deliver_all();
  EXPECT_TRUE(net.core(2).core().is_member[3]);
}

TEST(Joining, DoesNotReceiveTheTokenOfAFormerLife) {
  // Node 0 grants the token to node 1 and does not hear that it has come; node 1 leaves, and a
  // newcomer gets its number. The repeated grant is not for it.
  WiredCores net({.nodes = 3, .later = 1});
  net.rule({.from = 1, .to = 0, .type = MessageType::kTokenAck}, Fate::kIsHeld, 1);
  const auto grants = Match{.from = 0, .to = 1, .type = MessageType::kTokenGrant};
  net.begin(1);
  ASSERT_TRUE(net.store(1, 4, 40));
  net.want_commit(1);
  net.deliver_first({.type = MessageType::kTokenRequest});
  ASSERT_EQ(net.count(grants), 1u);
  const auto grant = net.take(grants);
  net.deliver(grant);
  net.deliver_all();
  net.commit(2, {5}, 50);
  leave(net, 1);
  net.join(3);
  ASSERT_EQ(net.core(3).core().self, 1);
  net.deliver({.from = 0, .to = 3, .bytes = grant.bytes});
  net.pass(kLong);
  int holders = 0;
  for (const std::size_t n : {0u, 2u, 3u}) holders += net.core(n).token().held() ? 1 : 0;
  EXPECT_EQ(holders, 1);
}

TEST(Joining, OfAnAddressThatCannotBeReachedMakesNoMember) {
  WiredCores net({.nodes = 2, .later = 1});
  net.ask_to_join(2);
  const auto request = net.take({.from = 2, .type = MessageType::kJoinRequest});
  net.cut_off(2, true);  // who sent it does not hear the challenge
  for (int i = 0; i < 3; ++i) net.deliver(request);
  net.pass(kLong);
  EXPECT_EQ(net.core(0).core().peers, 1u);
}

TEST(Joining, OfOneThatGivesUpBeforeItIsLetInMakesNoMember) {
  WiredCores net({.nodes = 2, .later = 1});
  net.commit(1, {4}, 40);  // the token is there
  net.freeze(1, true);
  net.ask_to_join(2);
  net.pass(milliseconds(20));
  net.cut_off(2, true);
  net.pass(milliseconds(200));
  net.freeze(1, false);
  net.pass(kLong);
  EXPECT_TRUE(net.core(0).core().member && net.core(1).core().member);
  EXPECT_EQ(net.core(0).core().peers, 1u);
  EXPECT_EQ(net.core(1).core().peers, 1u);
}

TEST(Leaving, OfANewcomerThatDidNotHearThatItWasLetIn) {
  WiredCores net({.nodes = 2, .later = 1});
  net.rule({.to = 2, .type = MessageType::kJoinGrant}, Fate::kIsLost, 1);
  net.ask_to_join(2);
  net.pass(milliseconds(5));
  ASSERT_EQ(net.core(0).core().peers, 2u) << "it was let in";
  ASSERT_TRUE(net.core(2).membership().joining());
  leave(net, 2);
  EXPECT_FALSE(net.core(2).core().member || net.core(2).membership().joining());
  EXPECT_EQ(net.core(0).core().peers, 1u);
  EXPECT_EQ(net.core(1).core().peers, 1u);
}

TEST(Leaving, OfANewcomerThatNobodyHasLetInEndsWithoutACluster) {
  WiredCores net({.nodes = 0, .later = 2});
  net.ask_to_join(0, 1, true);
  leave(net, 0);
  EXPECT_FALSE(net.core(0).core().member || net.core(0).membership().joining());
}

TEST(Joining, AskedForManyTimesMakesOneMember) {
  WiredCores net({.nodes = 2, .later = 1});
  net.rule({.from = 2}, Fate::kIsDoubled, 100);
  net.ask_to_join(2);
  net.ask_to_join(2, 1);
  net.pass(kLong);
  EXPECT_EQ(net.core(0).core().peers, 2u);
  EXPECT_EQ(net.core(1).core().peers, 2u);
  EXPECT_EQ(net.core(2).core().peers, 2u);
}

TEST(Joining, WithoutAnAnswerFoundsTheClusterIfItMay) {
  WiredCores net({.nodes = 0, .later = 2});
  net.ask_to_join(0, 1, true);
  net.pass(milliseconds(200));
  EXPECT_FALSE(net.core(0).core().member);
  net.pass(milliseconds(200));
  EXPECT_TRUE(net.core(0).core().member);
  EXPECT_TRUE(net.core(0).token().held());
}

TEST(Joining, OfTwoThatFindOnlyEachOtherMakesOneCluster) {
  WiredCores net({.nodes = 0, .later = 2});
  net.ask_to_join(0, 1, true);
  net.ask_to_join(1, 0, true);
  net.pass(milliseconds(2'000));
  EXPECT_EQ(net.core(0).core().self, 0);
  EXPECT_EQ(net.core(1).core().self, 1);
  EXPECT_EQ(net.core(0).core().cluster, net.core(1).core().cluster);
}

// The smaller address decides among those who may found a cluster only.
TEST(Joining, OfOneThatMayNotFoundKeepsNobodyFromFounding) {
  WiredCores net({.nodes = 0, .later = 2});
  net.ask_to_join(0, 1, false);
  net.ask_to_join(1, 0, true);
  net.pass(milliseconds(1'000));
  EXPECT_EQ(net.core(1).core().self, 0);
  EXPECT_EQ(net.core(0).core().self, 1);
}

TEST(Joining, OfTwoPageServersThatAskDifferentMembersLetsOneIn) {
  WiredCores net({.nodes = 2, .later = 2});
  const auto ask = [&net](std::size_t n, std::size_t seed) {
    net.replace_by_page_server(n);
    net.ask_to_join(n, seed);
    net.deliver_first({.from = n});
    net.deliver_first({.to = n});  // the challenge
    net.deliver_first({.from = n});
  };
  ask(2, 0);
  ask(3, 1);
  net.pass(kLong);
  const auto page_servers = {net.core(0).core().page_server, net.core(1).core().page_server};
  for (const auto node : page_servers) EXPECT_EQ(node, 2);
  EXPECT_TRUE(net.core(2).core().in_service());
  EXPECT_TRUE(net.core(3).membership().refused());
}

// Its members wait for its lease, and cannot let anybody in meanwhile.
TEST(Joining, OfAPageServerWhoseGrantWasLostEndsTheWaitForIt) {
  WiredCores net({.nodes = 2, .later = 1});
  net.replace_by_page_server(2);
  net.rule({.to = 2, .type = MessageType::kJoinGrant}, Fate::kIsLost, 3);
  net.cut_off(2, false);
  net.ask_to_join(2);
  net.pass(milliseconds(5));
  net.cut_off(2, true);
  net.pass(kLong);
  ASSERT_TRUE(net.core(0).core().cut_off);
  net.cut_off(2, false);
  net.pass(kLong);
  for (std::size_t n = 0; n < 3; ++n) EXPECT_TRUE(net.core(n).core().in_service());
}

TEST(Joining, OfOneTooManyIsRefusedInWords) {
  WiredCores net({.nodes = kMaxNodes, .later = 1});
  net.ask_to_join(kMaxNodes);
  net.deliver_all();
  ASSERT_TRUE(net.core(kMaxNodes).membership().refused());
  EXPECT_EQ(net.core(kMaxNodes).membership().refusal().reason, wire::RefusalReason::kFull);
}

}  // namespace
}  // namespace plurix::testing

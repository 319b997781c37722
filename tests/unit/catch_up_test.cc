// Coming back after missed commits under the circumstances that are hard to meet by chance
// (DESIGN P4): lost questions, lost answers, a log that is too short, helpers that know less.
#include <gtest/gtest.h>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

constexpr Match kQuestions{.type = MessageType::kCatchUpRequest};
constexpr Match kAnswers{.type = MessageType::kCommitRecords};
constexpr Match kSyncRequests{.type = MessageType::kSyncRequest};
constexpr Match kSyncReplies{.type = MessageType::kSyncReply};

Value read(WiredCores& net, std::size_t n, PageIndex page) {
  net.begin(n);
  net.load(n, page);
  net.deliver_all();
  const auto value = net.load(n, page);
  net.end(n);
  return value.value_or(~Value{0});
}

/// Node 0 makes `count` commits of page 4 that node 1 does not hear of.
void miss_commits(WiredCores& net, std::uint32_t count) {
  net.cut_off(1, true);
  for (std::uint32_t i = 0; i < count; ++i) net.commit(0, {4}, 100 + i);
  net.cut_off(1, false);
}

TEST(CatchingUp, AsksAgainWhenTheQuestionOrTheAnswerIsLost) {
  WiredCores net({.nodes = 2});
  miss_commits(net, 2);
  net.rule(kQuestions, Fate::kIsLost, 2);
  net.rule(kAnswers, Fate::kIsLost, 2);
  net.commit(0, {5}, 50);
  net.pass(milliseconds(300));
  EXPECT_EQ(net.applied(1), net.applied(0));
}

TEST(CatchingUp, AsksSomebodyElseWhenWhoShowedTheTimeIsGone) {
  WiredCores net({.nodes = 3});
  miss_commits(net, 2);
  net.commit(0, {5}, 50);
  net.freeze(0, true);
  net.pass(milliseconds(300));
  EXPECT_EQ(net.applied(1), net.applied(2));
}

TEST(CatchingUp, DoesNotAskForANoticeThatIsJustSlow) {
  WiredCores net({.nodes = 2});
  net.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsHeld, 1);
  net.commit(0, {4}, 40);
  net.commit(0, {5}, 50);
  EXPECT_TRUE(net.core(1).catch_up().behind());
  net.release();
  net.deliver_all();
  net.pass(milliseconds(300));
  EXPECT_EQ(net.applied(1), net.applied(0));
  EXPECT_EQ(net.counters(1).catch_ups, 0u);
}

TEST(CatchingUp, GetsMoreThanOneAnswerHolds) {
  auto config = WiredOptions::small_core();
  config.log_records = 1024;
  config.log_words = 4096;
  WiredCores net({.nodes = 2, .core = config});
  miss_commits(net, 900);
  net.commit(0, {5}, 50);
  net.pass(milliseconds(300));
  EXPECT_EQ(net.applied(1), net.applied(0));
  EXPECT_EQ(net.counters(1).resyncs, 0u);
  EXPECT_EQ(read(net, 1, 4), 100u + 899);
}

TEST(CatchingUp, KeepsRecordsThatComeTooEarlyWithinItsWindow) {
  WiredCores net({.nodes = 2});
  net.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsHeld, 1);
  const auto before = net.applied(1);
  for (std::uint32_t i = 0; i < 40; ++i) net.commit(0, {4}, i);
  EXPECT_EQ(net.applied(1), before);
  net.release();
  net.deliver_all();  // the one that was missing, and all the others at once
  EXPECT_EQ(net.applied(1), net.applied(0));
  EXPECT_EQ(net.counters(1).catch_ups, 0u);
}

TEST(CatchingUp, IsNotPossibleWhereTheRecordsAreGoneSoTheNodeResynchronizes) {
  WiredCores net({.nodes = 2});
  net.commit(1, {8}, 80);
  net.commit(0, {4, 5}, 40);
  ASSERT_EQ(read(net, 1, 4), 40u);
  ASSERT_EQ(read(net, 1, 5), 40u);
  miss_commits(net, net.core(0).core().config.log_records + 10);
  net.commit(0, {6}, 60);
  net.pass(milliseconds(50));
  EXPECT_EQ(net.counters(1).resyncs, 1u);
  EXPECT_EQ(net.applied(1), net.applied(0));
  EXPECT_EQ(net.core(1).directory().state(4), PageState::kAbsent);
  EXPECT_EQ(net.core(1).directory().state(5), PageState::kCopy);
  EXPECT_EQ(net.core(1).directory().state(8), PageState::kOwned);
}

// Node 1 misses more than the log holds. In the middle of its resynchronization node 0 commits once
// more, a page that has been told already.
class Resynchronizing : public ::testing::Test {
 protected:
  Resynchronizing() {
    net_.commit(0, {4, 5}, 40);
    read(net_, 1, 4);
    read(net_, 1, 5);
    miss_commits(net_, net_.core(0).core().config.log_records + 10);
    net_.commit(0, {6}, 60);
    net_.pass_for(1, milliseconds(1));
    net_.deliver_first(kQuestions);
    net_.deliver_first({.type = MessageType::kLogExhausted});
  }

  /// Node 0 commits a page more, and nobody hears of it.
  void commit_unheard(PageIndex page, Value value) {
    net_.begin(0);
    ASSERT_TRUE(net_.store(0, page, value));
    net_.want_commit(0);
    net_.pass_for(0, milliseconds(10));  // the holder pauses for who lags so far
    ASSERT_FALSE(net_.core(0).attempt().active());
    ASSERT_EQ(net_.lose({.type = MessageType::kCommitNotice}), 2u);
  }

  WiredCores net_{{.nodes = 3}};
};

TEST_F(Resynchronizing, TakesTheNodeOutOfService) {
  ASSERT_TRUE(net_.core(1).core().resyncing);
  net_.begin(1);
  EXPECT_TRUE(net_.core(1).attempt().doomed());
}

TEST_F(Resynchronizing, MissesNoCommitThatIsMadeMeanwhile) {
  net_.deliver_first(kSyncRequests);  // the pages, as of this time
  commit_unheard(5, 55);              // of which node 1 has a copy
  net_.deliver_all();
  net_.pass(milliseconds(50));
  EXPECT_EQ(net_.applied(1), net_.applied(0));
  EXPECT_EQ(read(net_, 1, 5), 55u);
}

TEST_F(Resynchronizing, TakesNoAnswerOlderThanTheFirst) {
  commit_unheard(5, 55);
  net_.deliver_first(kSyncRequests);
  net_.deliver_first(kSyncReplies);  // the pages as of node 0's time
  net_.lose({});
  net_.freeze(0, true);
  net_.pass(milliseconds(500));  // node 2 is asked for the members, and is a commit behind
  EXPECT_GT(net_.counters(2).frames_received, 0u);
  EXPECT_TRUE(net_.core(1).core().resyncing);
  net_.freeze(0, false);
  net_.pass(milliseconds(500));
  EXPECT_FALSE(net_.core(1).core().resyncing);
  EXPECT_EQ(net_.applied(1), net_.applied(0));
  EXPECT_EQ(read(net_, 1, 5), 55u);
}

// A queue full of notices loses answers too; a pause that does not empty it is none.
TEST_F(Resynchronizing, MakesTheHolderPauseLongerEachTimeItHearsNoAnswer) {
  for (int i = 0; i < 5; ++i) {
    net_.deliver_first({.to = 0, .type = MessageType::kSyncRequest});
    net_.lose({});
    net_.pass_for(1, milliseconds(64));
  }
  net_.deliver_first({.to = 0, .type = MessageType::kSyncRequest});
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 6, 61));
  net_.want_commit(0);
  net_.pass_for(0, milliseconds(30));
  EXPECT_TRUE(net_.core(0).attempt().active()) << "the pause is still that of the first question";
  net_.pass_for(0, milliseconds(64));
  EXPECT_FALSE(net_.core(0).attempt().active());
}

TEST_F(Resynchronizing, AsksAnotherNodeWhenItsHelperIsGone) {
  net_.freeze(0, true);
  net_.lose({});
  net_.pass(milliseconds(500));
  EXPECT_FALSE(net_.core(1).core().resyncing);
  EXPECT_EQ(net_.applied(1), net_.applied(2));
}

// A slow node's queue is full of notices, and what it has asked for stands behind them.
TEST(LateNode, MakesTheHolderPauseSoThatItsQueueDrains) {
  WiredCores net({.nodes = 2});
  net.commit(0, {4}, 40);
  const auto commits = net.core(0).core().config.log_records / 8 + 2;
  net.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsHeld, commits);
  for (std::uint32_t i = 0; i < commits; ++i) net.commit(0, {5}, 50 + i);
  net.begin(1);
  EXPECT_FALSE(net.load(1, 4));
  net.deliver_first({.to = 0, .type = MessageType::kPageRequest});
  net.begin(0);
  ASSERT_TRUE(net.store(0, 6, 60));
  net.want_commit(0);
  EXPECT_TRUE(net.core(0).attempt().active()) << "the holder goes on filling the queue";
  net.pass_for(0, milliseconds(20));
  EXPECT_FALSE(net.core(0).attempt().active());
}

// A reader that must see the newest commit (DESIGN T1).

TEST(LatestRead, IsToldByTheHolderOnly) {
  // Node 0 is presumed the holder by node 1, which has missed that node 2 has committed since.
  WiredCores net({.nodes = 3});
  net.commit(0, {4}, 40);
  ASSERT_EQ(read(net, 1, 4), 40u);
  net.rule({.from = 2, .type = MessageType::kCommitNotice}, Fate::kIsLost, 2);
  net.commit(2, {4}, 42);
  net.begin(1);
  ASSERT_EQ(net.load(1, 4), Value{40});
  net.step(1, event::LatestWanted{});
  net.deliver_all();
  EXPECT_FALSE(net.core(1).is_latest());  // node 0 does not know either
  net.pass(milliseconds(50));
  EXPECT_TRUE(net.core(1).is_latest());
  EXPECT_TRUE(net.core(1).attempt().doomed());
  EXPECT_EQ(net.applied(1), net.applied(2));
}

TEST(LatestRead, AwaitsTheCommitsItWasToldOf) {
  WiredCores net({.nodes = 2});
  net.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsLost, 1);
  net.commit(0, {4}, 40);
  net.begin(1);
  net.step(1, event::LatestWanted{});
  net.deliver_all();
  EXPECT_FALSE(net.core(1).is_latest());
  net.pass(milliseconds(1));
  EXPECT_TRUE(net.core(1).is_latest());
}

TEST(LatestRead, OfTheHolderIsTrueAtOnce) {
  WiredCores net({.nodes = 2});
  net.begin(0);
  net.step(0, event::LatestWanted{});
  EXPECT_TRUE(net.core(0).is_latest());
  EXPECT_TRUE(net.under_way().empty());
}

TEST(LatestRead, DoesNotTakeTheAnswerToAnEarlierQuestion) {
  WiredCores net({.nodes = 2});
  net.begin(1);
  net.step(1, event::LatestWanted{});
  net.deliver_first({.type = MessageType::kTimeQuery});
  const auto old = net.take({.type = MessageType::kTimeReply});
  net.end(1);
  net.begin(1);
  net.step(1, event::LatestWanted{});
  net.deliver(old);
  EXPECT_FALSE(net.core(1).is_latest());
  net.deliver_all();
  EXPECT_TRUE(net.core(1).is_latest());
}

}  // namespace
}  // namespace plurix::testing

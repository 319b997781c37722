// Section 2.3, Consistency and Restartability: sentence by sentence, on cores wired by hand.
#include <gmock/gmock.h>
#include <plurix/commit/first_wins.h>
#include <plurix/sim/cluster.h>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using ::testing::ElementsAre;
using wire::MessageType;

constexpr Match kNotices{.type = MessageType::kCommitNotice};
constexpr Match kTokenRequests{.type = MessageType::kTokenRequest};
constexpr Match kGrants{.type = MessageType::kTokenGrant};

wire::RecordView record_in(const Flight& flight) {
  Bytes body = Bytes{flight.bytes}.subspan(sizeof(wire::FrameHeader));
  wire::RecordView record;
  EXPECT_TRUE(wire::read_record(body, 32, record));
  EXPECT_TRUE(body.empty());
  return record;
}

std::vector<PageIndex> pages_in(const wire::RecordView& record) {
  std::vector<PageIndex> pages;
  for (std::size_t i = 0; i < record.header.words; ++i) pages.push_back(record.word(i));
  return pages;
}

// Three nodes; node 0 holds the token and owns pages 4 to 6, whose first word is 42; node 1 and
// node 2 have copies of them.
class Paper_2_3 : public ::testing::Test {
 protected:
  Paper_2_3() {
    net_.commit(0, {4, 5, 6}, 42);
    for (const std::size_t n : {1u, 2u}) {
      net_.begin(n);
      for (const PageIndex page : {4u, 5u, 6u}) fetch(n, page);
      net_.end(n);
    }
  }

  void fetch(std::size_t n, PageIndex page) {
    net_.load(n, page);
    net_.deliver_all();
    ASSERT_EQ(net_.load(n, page), Value{42});
  }
  bool doomed(std::size_t n) const { return net_.core(n).attempt().doomed(); }
  bool active(std::size_t n) const { return net_.core(n).attempt().active(); }

  WiredCores net_{{.nodes = 3}};
};

// "All actions in Plurix are encapsulated in transactions."
TEST(Paper_2_3_Api, NothingCanBeReadOrWrittenOutsideATransaction) {
  sim::Cluster<> cluster({.nodes = 1});
  int refused = 0;
  cluster.run([&](auto& node, std::size_t) {
    Ref<std::uint64_t> kept;
    node.run([&](Transaction& t) { kept = t.root<std::uint64_t>("kept"); });
    try {
      (void)*kept;
    } catch (const Misuse&) {
      ++refused;
    }
    try {
      *kept.mut() = 1;
    } catch (const Misuse&) {
      ++refused;
    }
  });
  EXPECT_EQ(refused, 2);
}

// "At the start of a transaction, write access to pages are prohibited."
TEST_F(Paper_2_3, AtTheStartOfATransactionWriteAccessIsProhibited) {
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 4, 50));
  EXPECT_EQ(net_.rights(0, 4), Rights::kWrite);
  net_.want_commit(0);
  ASSERT_FALSE(active(0));
  net_.begin(0);
  for (PageIndex page = 0; page < 32; ++page) EXPECT_LT(net_.rights(0, page), Rights::kWrite);
}

TEST_F(Paper_2_3, AfterAnAbortWriteAccessIsProhibitedToo) {
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 4, 50));
  net_.end(0);
  net_.begin(0);
  for (PageIndex page = 0; page < 32; ++page) EXPECT_LT(net_.rights(0, page), Rights::kWrite);
}

// "If a page is written, the system creates a shadow image of it and then enables write access."
TEST_F(Paper_2_3, AWriteCreatesAShadowImageAndThenEnablesWriteAccess) {
  net_.begin(0);
  ASSERT_EQ(net_.rights(0, 4), Rights::kRead);
  net_.step(0, event::LocalFault{4, Access::kWrite, true});
  EXPECT_EQ(net_.rights(0, 4), Rights::kWrite);
  ASSERT_TRUE(net_.core(0).attempt().has_written(4));
  ASSERT_TRUE(net_.store(0, 4, 50));
  Value kept = 0;
  std::memcpy(&kept, net_.core(0).attempt().committed_contents(4).data(), sizeof kept);
  EXPECT_EQ(kept, 42u);
  EXPECT_EQ(net_.frame(0, 4), 50u);
}

TEST_F(Paper_2_3, WhatIsNotCommittedIsNotSeenByOthers) {
  net_.commit(0, {4}, 43);  // the copies elsewhere are void
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 4, 50));
  net_.begin(1);
  net_.load(1, 4);
  net_.deliver_all();
  EXPECT_EQ(net_.load(1, 4), Value{43});
}

// "Additionally, the system logs the pages for which shadow images were created."
TEST_F(Paper_2_3, TheSystemLogsThePagesForWhichShadowImagesWereCreated) {
  net_.begin(0);
  net_.load(0, 6);
  ASSERT_TRUE(net_.store(0, 5, 50));
  ASSERT_TRUE(net_.store(0, 4, 50));
  ASSERT_TRUE(net_.store(0, 5, 51));
  EXPECT_THAT(net_.core(0).attempt().write_set(), ElementsAre(5, 4));
}

// "At the end of a transaction (commit phase) the addresses of all modified pages are broadcasted
// …"
TEST_F(Paper_2_3, ACommitBroadcastsTheAddressesOfAllModifiedPages) {
  net_.begin(0);
  net_.load(0, 5);
  for (const PageIndex page : {6u, 4u, 9u}) ASSERT_TRUE(net_.store(0, page, 50));
  net_.want_commit(0);
  ASSERT_EQ(net_.count(kNotices), 2u);
  EXPECT_EQ(net_.count({.from = 0, .to = 1, .type = MessageType::kCommitNotice}), 1u);
  EXPECT_EQ(net_.count({.from = 0, .to = 2, .type = MessageType::kCommitNotice}), 1u);
  const auto notice = net_.take(kNotices);
  EXPECT_THAT(pages_in(record_in(notice)), ElementsAre(4, 6, 9));
}

TEST_F(Paper_2_3, ATransactionThatWroteNothingBroadcastsNothing) {
  net_.begin(0);
  net_.load(0, 5);
  net_.end(0);
  EXPECT_TRUE(net_.under_way().empty());
}

// "… and all partner nodes in the cluster will invalidate these pages."
TEST_F(Paper_2_3, AllPartnersInvalidateThesePages) {
  net_.begin(0);
  for (const PageIndex page : {4u, 6u}) ASSERT_TRUE(net_.store(0, page, 50));
  net_.want_commit(0);
  net_.deliver_all();
  for (const std::size_t n : {1u, 2u}) {
    for (const PageIndex page : {4u, 6u}) {
      EXPECT_EQ(net_.core(n).directory().state(page), PageState::kAbsent);
      EXPECT_EQ(net_.rights(n, page), Rights::kNone);
    }
    EXPECT_EQ(net_.core(n).directory().state(5), PageState::kCopy);
    EXPECT_EQ(net_.rights(n, 5), Rights::kRead);
  }
}

// "If there is a collision with a running transaction on another node, it is aborted …"
TEST_F(Paper_2_3, ACollisionWithWhatATransactionHasReadAbortsIt) {
  net_.begin(1);
  net_.load(1, 4);
  net_.commit(0, {4}, 50);
  EXPECT_TRUE(doomed(1));
}

TEST_F(Paper_2_3, ACollisionWithWhatATransactionHasWrittenAbortsIt) {
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 4, 60));
  net_.commit(0, {4}, 50);
  EXPECT_TRUE(doomed(1));
}

TEST_F(Paper_2_3, ACommitOfOtherPagesAbortsNothing) {
  net_.begin(1);
  net_.load(1, 5);
  ASSERT_TRUE(net_.store(1, 6, 60));
  net_.commit(0, {4}, 50);
  EXPECT_FALSE(doomed(1));
}

TEST_F(Paper_2_3, AnAbortedTransactionDoesNotCommitWhateverItWishes) {
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 4, 60));
  net_.want_commit(1);  // the token request is under way …
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 4, 50));
  net_.want_commit(0);  // … when the holder commits
  net_.deliver_all();
  net_.pass(milliseconds(500));
  EXPECT_TRUE(doomed(1));
  EXPECT_EQ(net_.counters(1).commits, 0u);
}

// "… and eventually restarted."
TEST(Paper_2_3_Api, AnAbortedTransactionIsRestartedUntilItCommits) {
  sim::Cluster<FirstWins> cluster({.nodes = 3, .seed = 5});
  cluster.run([](auto& node, std::size_t) {
    for (int i = 0; i < 30; ++i) {
      node.run([](Transaction& t) { ++*t.root<std::uint64_t>("count").mut(); });
    }
  });
  std::uint64_t restarts = 0;
  for (std::size_t n = 0; n < cluster.size(); ++n) restarts += cluster.node(n).counters().aborted;
  EXPECT_GT(restarts, 0u);
  EXPECT_EQ(cluster.node(0).commit_time(), cluster.node(2).commit_time());
}

// "In case of an abort all modified pages are discarded. Since there is a shadow image for each
// modified page, the system can reconstruct the state of the node at the time just before the
// transaction has been started."
TEST_F(Paper_2_3, AnAbortReconstructsTheStateJustBeforeTheTransaction) {
  net_.begin(0);
  for (const PageIndex page : {4u, 5u, 6u, 9u}) ASSERT_TRUE(net_.store(0, page, 50));
  net_.end(0);
  for (const PageIndex page : {4u, 5u, 6u}) EXPECT_EQ(net_.frame(0, page), 42u);
  EXPECT_EQ(net_.frame(0, 9), 0u);
  EXPECT_TRUE(net_.under_way().empty());
}

TEST_F(Paper_2_3, AnAbortDoesNotBringBackAPageThatIsAnothersNow) {
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 4, 60));
  net_.commit(0, {4}, 50);
  net_.end(1);
  EXPECT_EQ(net_.rights(1, 4), Rights::kNone);
  net_.begin(1);
  EXPECT_EQ(net_.load(1, 4), std::nullopt);
  net_.deliver_all();
  EXPECT_EQ(net_.load(1, 4), Value{50});
}

// Beyond the paper (DESIGN T2): until it ends, an aborted transaction goes on seeing the snapshot
// it has seen so far, and nothing else.
TEST_F(Paper_2_3, AnAbortedTransactionSeesOneSnapshotToItsEnd) {
  net_.begin(1);
  net_.load(1, 4);
  net_.commit(0, {4, 5}, 50);
  EXPECT_EQ(net_.load(1, 4), Value{42});
  EXPECT_EQ(net_.load(1, 5), std::nullopt);  // would be of another snapshot
  net_.deliver_all();
  EXPECT_EQ(net_.load(1, 5), std::nullopt);
  net_.end(1);
  EXPECT_EQ(net_.rights(1, 4), Rights::kNone);
}

// "A token mechanism is used to ensure, that only one node is in the commit phase at a time."
TEST_F(Paper_2_3, OnlyTheHolderOfTheTokenCommits) {
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 5, 60));
  net_.want_commit(1);
  EXPECT_TRUE(active(1));
  EXPECT_EQ(net_.count(kNotices), 0u);
  EXPECT_EQ(net_.count(kTokenRequests), 1u);
  net_.deliver_first(kTokenRequests);
  EXPECT_FALSE(net_.core(0).token().held());  // given up before the grant arrives
  EXPECT_FALSE(net_.core(1).token().held());
  net_.deliver_first(kGrants);
  EXPECT_TRUE(net_.core(1).token().held());
  EXPECT_FALSE(active(1));
  EXPECT_EQ(net_.count(kNotices), 2u);
}

TEST_F(Paper_2_3, TheTokenIsPassedOnlyAfterTheNoticeOfTheCommit) {
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 4, 50));
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 5, 60));
  net_.want_commit(1);
  net_.step(0, event::TokenWanted{0});  // the holder keeps it …
  net_.deliver_all();
  net_.want_commit(0);
  EXPECT_FALSE(active(0));
  net_.step(0, event::TokenReleased{});  // … until after its own commit
  ASSERT_EQ(net_.under_way().size(), 3u);
  EXPECT_EQ(net_.under_way()[0].type(), MessageType::kCommitNotice);
  EXPECT_EQ(net_.under_way()[1].type(), MessageType::kCommitNotice);
  EXPECT_EQ(net_.under_way()[2].type(), MessageType::kTokenGrant);
  EXPECT_EQ(net_.under_way()[2].header().commit_time, net_.applied(0));
}

TEST_F(Paper_2_3, ATokenThatOvertookTheNoticeIsNotUsedBeforeItCame) {
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 4, 50));
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 5, 60));
  net_.want_commit(1);
  net_.step(0, event::TokenWanted{0});
  net_.deliver_all();
  net_.want_commit(0);
  net_.step(0, event::TokenReleased{});
  net_.deliver_first(kGrants);
  EXPECT_TRUE(net_.core(1).token().held());
  EXPECT_FALSE(net_.core(1).token().usable());
  EXPECT_TRUE(active(1));
  net_.deliver_first({.to = 1, .type = MessageType::kCommitNotice});
  EXPECT_FALSE(active(1));
  EXPECT_EQ(net_.core(1).last_commit(), net_.applied(0) + 1);
}

// "The token is passed using a first wins strategy."
TEST_F(Paper_2_3, TheTokenIsPassedToWhoAskedFirst) {
  for (const std::size_t n : {2u, 1u}) {
    net_.begin(n);
    ASSERT_TRUE(net_.store(n, static_cast<PageIndex>(8 + n), 60));
  }
  net_.step(0, event::TokenWanted{0});
  net_.want_commit(2, 0);
  net_.deliver_all();
  net_.want_commit(1, 9);  // more urgent, but later
  net_.deliver_all();
  net_.step(0, event::TokenReleased{});
  ASSERT_EQ(net_.count(kGrants), 1u);
  EXPECT_EQ(net_.take(kGrants).to, 2u);
}

TEST_F(Paper_2_3, TheTokenStaysWithTheLastCommitterSoThatACommitMoreNeedsNoRoundTrip) {
  net_.commit(1, {5}, 50);
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 5, 51));
  net_.want_commit(1);
  EXPECT_FALSE(active(1));
  EXPECT_EQ(net_.count(kTokenRequests), 0u);
}

// "To improve fairness further commit strategies will be developed."
TEST(Paper_2_3_Fair, TheTokenIsPassedToWhoWasAbortedMostOften) {
  WiredCores net({.nodes = 3, .fair = true});
  for (const std::size_t n : {2u, 1u}) {
    net.begin(n);
    ASSERT_TRUE(net.store(n, static_cast<PageIndex>(8 + n), 60));
  }
  net.step(0, event::TokenWanted{0});
  net.want_commit(2, 0);
  net.deliver_all();
  net.want_commit(1, 2);
  net.deliver_all();
  net.step(0, event::TokenReleased{});
  ASSERT_EQ(net.count(kGrants), 1u);
  EXPECT_EQ(net.take(kGrants).to, 1u);
}

TEST(Paper_2_3_Fair, AnAttemptThatHoldsTheTokenCannotBeAborted) {
  WiredCores net({.nodes = 2, .fair = true});
  net.step(1, event::TokenWanted{4});
  net.deliver_all();
  ASSERT_TRUE(net.core(1).token().held_back());
  net.begin(1);
  ASSERT_TRUE(net.store(1, 5, 60));
  net.begin(0);
  ASSERT_TRUE(net.store(0, 5, 70));
  net.want_commit(0);
  net.pass(milliseconds(100));  // however often the other asks
  EXPECT_TRUE(net.core(1).token().held());
  EXPECT_FALSE(net.core(1).attempt().doomed());
  net.want_commit(1);
  EXPECT_FALSE(net.core(1).attempt().active());
  net.deliver_all();
  EXPECT_TRUE(net.core(0).attempt().doomed());
}

}  // namespace
}  // namespace plurix::testing

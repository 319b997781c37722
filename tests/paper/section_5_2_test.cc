// Section 5.2, Fault-Tolerance: sentence by sentence, on cores wired by hand. What needs a
// PageServer is not here.
#include <gmock/gmock.h>
#include <plurix/sim/cluster.h>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using ::testing::ElementsAre;
using wire::MessageType;

constexpr Match kNotices{.type = MessageType::kCommitNotice};
constexpr Match kPageRequests{.type = MessageType::kPageRequest};
constexpr Match kTokenRequests{.type = MessageType::kTokenRequest};
constexpr Match kCatchUpRequests{.type = MessageType::kCatchUpRequest};
constexpr Match kRecords{.type = MessageType::kCommitRecords};
constexpr Match kGrants{.type = MessageType::kTokenGrant};

// Three nodes; node 0 holds the token and owns pages 4 to 6, whose first word is 42; node 1 has
// copies of them.
class Paper_5_2 : public ::testing::Test {
 protected:
  explicit Paper_5_2(const CoreConfig& config = WiredOptions::small_core())
      : net_({.nodes = 3, .core = config}) {
    net_.commit(0, {4, 5, 6}, 42);
    net_.begin(1);
    for (const PageIndex page : {4u, 5u, 6u}) {
      net_.load(1, page);
      net_.deliver_all();
    }
    net_.end(1);
  }

  /// Node `n` writes `page` and commits; the frames stay on the wire.
  void commit_quietly(std::size_t n, PageIndex page, Value value) {
    net_.begin(n);
    ASSERT_TRUE(net_.store(n, page, value));
    net_.want_commit(n);
    ASSERT_FALSE(active(n));
  }
  /// Node 0 commits page 4, and node 1 misses it.
  void miss_a_commit() {
    commit_quietly(0, 4, 50);
    net_.lose({.to = 1});
    net_.deliver_all();
  }
  bool active(std::size_t n) const { return net_.core(n).attempt().active(); }
  bool behind(std::size_t n) const { return net_.core(n).catch_up().behind(); }

  WiredCores net_;
};

// "Because of the low error probability of a LAN we are not willing to impose the overhead by a
// reliable communication during normal operation."
TEST_F(Paper_5_2, ACommitCostsOneUnacknowledgedBroadcast) {
  commit_quietly(0, 4, 50);
  EXPECT_EQ(net_.under_way().size(), 2u);  // one to each partner
  EXPECT_EQ(net_.count(kNotices), 2u);
  net_.deliver_first(kNotices);
  net_.deliver_first(kNotices);
  EXPECT_TRUE(net_.under_way().empty());
}

// "… committing transactions are serialized using a token."
TEST_F(Paper_5_2, CommitsOfAllNodesAreOneSequence) {
  std::vector<std::uint64_t> times;
  for (const std::size_t n : {1u, 0u, 2u, 2u, 0u}) times.push_back(net_.commit(n, {9}, n).value);
  const auto first = times[0];
  EXPECT_THAT(times, ElementsAre(first, first + 1, first + 2, first + 3, first + 4));
}

// "We introduce a logical global time (a 64-Bit value) incremented each time a transaction
// commits."
TEST_F(Paper_5_2, TheLogicalTimeHas64BitsAndGrowsByOneWithEachCommit) {
  static_assert(sizeof(CommitTime) == 8);
  const auto before = net_.applied(0);
  commit_quietly(0, 4, 50);
  EXPECT_EQ(net_.applied(0), before + 1);
  commit_quietly(0, 4, 51);
  EXPECT_EQ(net_.applied(0), before + 2);
}

TEST_F(Paper_5_2, TheLogicalTimeStandsStillWhenATransactionAbortsOrOnlyReads) {
  const auto before = net_.applied(0);
  net_.begin(0);
  net_.load(0, 4);
  net_.end(0);
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 4, 50));
  net_.end(0);
  EXPECT_EQ(net_.applied(0), before);
}

// "In the latter case the new time is broadcasted to the cluster and each node updates its time
// variable."
TEST_F(Paper_5_2, TheNewTimeIsBroadcastAndEachNodeUpdatesItsTime) {
  const auto before = net_.applied(0);
  commit_quietly(0, 4, 50);
  EXPECT_EQ(net_.under_way()[0].header().commit_time, before + 1);
  EXPECT_EQ(net_.applied(1), before);
  net_.deliver_all();
  for (const std::size_t n : {0u, 1u, 2u}) EXPECT_EQ(net_.applied(n), before + 1);
}

// "A node can immediately detect if it missed a commit …"
TEST_F(Paper_5_2, ANodeDetectsAMissedCommitAtTheNextOne) {
  miss_a_commit();
  EXPECT_FALSE(behind(1));
  const auto before = net_.applied(1);
  commit_quietly(0, 5, 51);
  net_.deliver_first({.to = 1, .type = MessageType::kCommitNotice});
  EXPECT_TRUE(behind(1));
  EXPECT_EQ(net_.applied(1), before);  // out of turn, so not applied
  EXPECT_EQ(net_.core(1).directory().state(5), PageState::kCopy);
}

TEST_F(Paper_5_2, ANodeDetectsAMissedCommitAtAnyMessageThatShowsItsTime) {
  miss_a_commit();
  net_.begin(2);
  net_.load(2, 6);
  net_.deliver_all();  // node 0 serves node 2; node 1 hears nothing of it
  EXPECT_FALSE(behind(1));
  net_.begin(1);
  net_.load(1, 9);  // was never written: nobody needs to be asked
  ASSERT_TRUE(net_.store(1, 9, 60));
  net_.want_commit(1);
  net_.deliver_first(kTokenRequests);
  net_.deliver_all();
  EXPECT_EQ(net_.applied(1), net_.applied(0));
}

TEST_F(Paper_5_2, ANodeDetectsThatItMissedTheLastCommitBeforeASilence) {
  // Beyond the paper: a time beacon.
  auto config = WiredOptions::small_core();
  config.beacon = milliseconds(10);
  WiredCores net({.nodes = 2, .core = config});
  net.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsLost, 1);
  net.commit(0, {4}, 50);
  EXPECT_LT(net.applied(1), net.applied(0));
  net.pass(milliseconds(30));
  EXPECT_EQ(net.applied(1), net.applied(0));
}

// "… and ask for recovery."
TEST_F(Paper_5_2, ANodeThatMissedACommitAsksForItAndGetsExactlyThat) {
  miss_a_commit();
  const auto missed = net_.applied(0);
  commit_quietly(0, 5, 51);
  net_.deliver_all();
  net_.pass_for(1, net_.core(1).core().config.catch_up_delay);
  ASSERT_EQ(net_.count(kCatchUpRequests), 1u);
  const auto request = net_.take(kCatchUpRequests);
  wire::CatchUpRequest asked;
  ASSERT_TRUE(wire::read_body(Bytes{request.bytes}.subspan(sizeof(wire::FrameHeader)), asked));
  EXPECT_EQ(asked.from, missed);
  net_.deliver(request);
  EXPECT_EQ(net_.count(kRecords), 1u);
  net_.deliver_all();
  EXPECT_EQ(net_.applied(1), net_.applied(0));
  EXPECT_EQ(net_.core(1).directory().state(4), PageState::kAbsent);
  EXPECT_EQ(net_.core(1).directory().state(5), PageState::kAbsent);
}

TEST_F(Paper_5_2, ANodeThatIsBehindIsGivenMissedCommitsInOrderWhateverOrderTheyArriveIn) {
  const auto before = net_.applied(1);
  commit_quietly(0, 4, 50);
  commit_quietly(0, 5, 51);
  commit_quietly(0, 6, 52);
  std::vector<Flight> notices;
  while (net_.count({.to = 1}) > 0) notices.push_back(net_.take({.to = 1}));
  ASSERT_EQ(notices.size(), 3u);
  net_.deliver(notices[2]);
  net_.deliver(notices[1]);
  EXPECT_EQ(net_.applied(1), before);
  net_.deliver(notices[0]);
  EXPECT_EQ(net_.applied(1), before + 3);
}

TEST_F(Paper_5_2, ACommitThatArrivesTwiceIsAppliedOnce) {
  commit_quietly(0, 4, 50);
  const auto notice = net_.take({.to = 1});
  net_.deliver(notice);
  // Node 1 fetches the page anew; the second notice must not take it away again.
  net_.begin(1);
  net_.load(1, 4);
  net_.deliver_all();
  ASSERT_EQ(net_.load(1, 4), Value{50});
  net_.deliver(notice);
  EXPECT_EQ(net_.core(1).directory().state(4), PageState::kCopy);
  EXPECT_FALSE(net_.core(1).attempt().doomed());
}

// Commits of which each packet names two pages, so that three pages take two packets.
class Paper_5_2_SeveralPackets : public Paper_5_2 {
 protected:
  Paper_5_2_SeveralPackets() : Paper_5_2(two_pages_a_packet()) {}

  static CoreConfig two_pages_a_packet() {
    auto config = WiredOptions::small_core();
    config.words_per_packet = 2;
    return config;
  }
  void commit_three_pages() {
    net_.begin(0);
    for (const PageIndex page : {4u, 5u, 6u}) ASSERT_TRUE(net_.store(0, page, 50));
    net_.want_commit(0);
    ASSERT_FALSE(active(0));
  }
};

// "If the commit message cannot be sent with one Ethernet frame, the commit number is incremented
// for each commit packet."
TEST_F(Paper_5_2_SeveralPackets, TheCommitNumberIsIncrementedForEachPacket) {
  const auto before = net_.applied(0);
  commit_three_pages();
  EXPECT_EQ(net_.applied(0), before + 2);
  EXPECT_EQ(net_.core(0).last_commit(), before + 2);
  ASSERT_EQ(net_.count({.to = 1}), 2u);
  for (std::uint16_t i = 0; i < 2; ++i) {
    const auto notice = net_.take({.to = 1});
    Bytes body = Bytes{notice.bytes}.subspan(sizeof(wire::FrameHeader));
    wire::RecordView record;
    ASSERT_TRUE(wire::read_record(body, 32, record));
    EXPECT_EQ(record.header.time, before + (i + 1u));
    EXPECT_EQ(record.header.index, i);
    EXPECT_EQ(record.header.count, 2);
    EXPECT_LE(notice.bytes.size(), 1500u - 28u);  // an Ethernet frame with IPv4 and UDP in front
  }
}

TEST(Paper_5_2_Packets, TheLargestPacketFitsAnEthernetFrame) {
  EXPECT_LE(sizeof(wire::FrameHeader) + sizeof(wire::RecordHeader) + wire::kMaxWords * 4,
            1500u - 28u);
}

// "Thus we avoid inconsistencies if a node did miss a packet of a multiple packet commit."
class OnePacketIsLost : public Paper_5_2_SeveralPackets,
                        public ::testing::WithParamInterface<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Paper_5_2, OnePacketIsLost, ::testing::Values(0, 1));

TEST_P(OnePacketIsLost, AndNothingOfTheCommitIsVisibleBeforeItHasCome) {
  const auto before = net_.applied(1);
  commit_three_pages();
  const Flight packets[] = {net_.take({.to = 1}), net_.take({.to = 1})};
  net_.deliver_all();
  net_.deliver(packets[1 - GetParam()]);
  EXPECT_TRUE(behind(1));
  EXPECT_EQ(net_.applied(1), before);
  for (const PageIndex page : {4u, 5u, 6u}) {
    EXPECT_EQ(net_.core(1).directory().state(page), PageState::kCopy);
    EXPECT_EQ(net_.frame(1, page), 42u);
  }
  net_.pass(milliseconds(50));  // asks for what is missing
  EXPECT_EQ(net_.applied(1), before + 2);
  for (const PageIndex page : {4u, 5u, 6u}) {
    EXPECT_EQ(net_.core(1).directory().state(page), PageState::kAbsent);
  }
}

TEST_F(Paper_5_2_SeveralPackets, ACommitIsAppliedAtOnceWhenItsLastPacketComes) {
  const auto before = net_.applied(1);
  commit_three_pages();
  net_.deliver_first({.to = 1});
  EXPECT_EQ(net_.applied(1), before);
  net_.deliver_first({.to = 1});
  EXPECT_EQ(net_.applied(1), before + 2);
}

// "Furthermore, any page or token requests always includes the global time value of the requesting
// node."
TEST_F(Paper_5_2, PageAndTokenRequestsIncludeTheTimeOfTheRequester) {
  net_.commit(0, {8}, 50);
  net_.begin(1);
  net_.load(1, 8);
  ASSERT_EQ(net_.count(kPageRequests), 1u);
  EXPECT_EQ(net_.take(kPageRequests).header().commit_time, net_.applied(1));
  ASSERT_TRUE(net_.store(1, 5, 60));
  net_.want_commit(1);
  ASSERT_EQ(net_.count(kTokenRequests), 1u);
  EXPECT_EQ(net_.take(kTokenRequests).header().commit_time, net_.applied(1));
}

// "If such a request contains an out-of-date commit number it is not processed but recovery is
// started." A page request is out of date when its sender has not heard of the last commit that
// wrote the page.
TEST_F(Paper_5_2, AnOutOfDatePageRequestIsNotProcessedButRecoveryIsStarted) {
  net_.commit(0, {8}, 50);
  commit_quietly(0, 8, 51);
  net_.lose({.to = 1});
  net_.deliver_all();
  net_.begin(1);
  net_.load(1, 8);
  net_.deliver_first(kPageRequests);
  EXPECT_EQ(net_.count({.type = MessageType::kPageReply}), 0u);
  EXPECT_EQ(net_.count(kRecords), 1u);
  EXPECT_EQ(net_.counters(0).refused_out_of_date, 1u);
  EXPECT_EQ(net_.counters(0).pages_served, 3u);  // those of the fixture
  net_.deliver_all();
  EXPECT_EQ(net_.applied(1), net_.applied(0));
  EXPECT_EQ(net_.load(1, 8), Value{51});  // asked again by itself
}

TEST_F(Paper_5_2, AnOutOfDateTokenRequestIsNotProcessedButRecoveryIsStarted) {
  miss_a_commit();
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 5, 60));
  net_.want_commit(1);
  net_.deliver_first(kTokenRequests);
  EXPECT_EQ(net_.count(kGrants), 0u);
  EXPECT_TRUE(net_.core(0).token().held());
  EXPECT_EQ(net_.count(kRecords), 1u);
  EXPECT_EQ(net_.counters(0).token_refused_late, 1u);
}

// "Thus a node that missed a commit is not able to commit a transaction because it is not granted
// the token."
TEST_F(Paper_5_2, ANodeThatMissedACommitCannotCommitBeforeItHasAppliedIt) {
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 4, 60));  // collides with what it is about to miss
  miss_a_commit();
  net_.want_commit(1);
  net_.deliver_all();
  net_.pass(milliseconds(100));
  EXPECT_TRUE(net_.core(1).attempt().doomed());
  EXPECT_EQ(net_.counters(1).commits, 0u);
  EXPECT_EQ(net_.frame(0, 4), 50u);
}

TEST_F(Paper_5_2, ANodeThatMissedACommitCommitsAfterItHasAppliedIt) {
  miss_a_commit();
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 5, 60));  // collides with nothing
  net_.want_commit(1);
  net_.deliver_all();
  EXPECT_FALSE(active(1));
  EXPECT_EQ(net_.core(1).last_commit(), net_.applied(0));
}

// Beyond the paper (DESIGN T2): the reply too carries a time, and is not mapped before its time.
TEST_F(Paper_5_2, APageOfTheFutureIsNotMappedBeforeTheNodeHasCaughtUp) {
  net_.commit(0, {8}, 50);
  net_.begin(1);
  ASSERT_EQ(net_.load(1, 4), Value{42});
  net_.load(1, 8);
  const auto request = net_.take(kPageRequests);
  commit_quietly(0, 4, 51);  // the notice is slow
  const auto notice = net_.take({.to = 1, .type = MessageType::kCommitNotice});
  net_.deliver(request);
  net_.deliver_first({.type = MessageType::kPageReply});
  EXPECT_EQ(net_.load(1, 8), std::nullopt);
  EXPECT_EQ(net_.counters(1).replies_early, 1u);
  net_.deliver(notice);
  EXPECT_TRUE(net_.core(1).attempt().doomed());  // page 4 was read as of before
  net_.end(1);
  net_.begin(1);
  EXPECT_EQ(net_.load(1, 8), Value{50});  // the bytes had waited in the frame
}

TEST_F(Paper_5_2, ARequestOfTheFutureWaitsUntilTheOwnerHasCaughtUp) {
  net_.commit(2, {8}, 50);
  net_.commit(0, {9}, 50);  // the token is node 0's again
  // Node 0 commits; node 2, the owner of page 8, does not hear of it; node 1 does.
  commit_quietly(0, 4, 51);
  net_.lose({.to = 2});
  net_.deliver_all();
  net_.begin(1);
  net_.load(1, 8);
  net_.deliver_first(kPageRequests);
  EXPECT_EQ(net_.count({.type = MessageType::kPageReply}), 0u);
  EXPECT_EQ(net_.counters(2).requests_parked, 1u);
  EXPECT_TRUE(behind(2));
  net_.pass(milliseconds(1));
  EXPECT_EQ(net_.applied(2), net_.applied(0));
  EXPECT_EQ(net_.load(1, 8), Value{50});
}

// "If a single node fails temporarily …": it was silent for long, and what it missed may be in
// nobody's log any more.
TEST_F(Paper_5_2, ANodeThatWasSilentForLongComesBackWithWhatItOwns) {
  net_.commit(1, {8}, 77);
  net_.commit(0, {4}, 50);  // takes the token along
  net_.cut_off(1, true);
  const auto enough = net_.core(0).core().config.log_records + 10;
  for (std::uint32_t i = 0; i < enough; ++i) net_.commit(0, {4}, 100 + i);
  net_.cut_off(1, false);
  net_.commit(0, {5}, 60);
  net_.pass(milliseconds(100));
  EXPECT_EQ(net_.counters(1).resyncs, 1u);
  EXPECT_EQ(net_.applied(1), net_.applied(0));
  EXPECT_EQ(net_.core(1).directory().state(8), PageState::kOwned);
  EXPECT_EQ(net_.core(1).directory().state(4), PageState::kAbsent);
  EXPECT_EQ(net_.core(1).directory().state(5), PageState::kAbsent);
  EXPECT_EQ(net_.core(1).directory().state(6), PageState::kCopy);
  net_.begin(1);
  net_.load(1, 4);
  net_.deliver_all();
  EXPECT_EQ(net_.load(1, 4), Value{100 + enough - 1});
}

// "The network might be partitioned temporarily into two or more segments. Only one token … is
// available in any of these segments. Nodes within the segments send page and token requests."
TEST_F(Paper_5_2, OnlyTheSegmentWithTheTokenCommits) {
  net_.cut_off(1, true);
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 5, 60));
  net_.want_commit(1);
  net_.commit(0, {6}, 50);
  net_.commit(2, {8}, 51);
  net_.pass(milliseconds(500));
  EXPECT_TRUE(active(1));
  EXPECT_GT(net_.counters(1).token_requests, 1u);
  EXPECT_FALSE(net_.core(1).token().held());
  net_.cut_off(1, false);
  net_.pass(milliseconds(500));
  EXPECT_FALSE(active(1));  // collided with nothing, and is committed last
  EXPECT_EQ(net_.core(1).last_commit(), net_.applied(0));
}

// Section 4.4: "If they would be reset …": "the state variables of the DSM protocol … must outlast
// the abort mechanism".
TEST_F(Paper_5_2, TheStateOfTheProtocolOutlastsAnAbort) {
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 5, 60));
  net_.commit(0, {4}, 50);
  net_.commit(0, {5}, 51);
  ASSERT_TRUE(net_.core(1).attempt().doomed());
  net_.end(1);
  EXPECT_EQ(net_.applied(1), net_.applied(0));
  EXPECT_FALSE(behind(1));
  net_.commit(0, {6}, 52);  // no message from the future
  EXPECT_EQ(net_.applied(1), net_.applied(0));
  EXPECT_EQ(net_.counters(1).records_out_of_order, 0u);
}

// Section 4.5: "… the device driver programmer must implement an Undo-method, which is called by
// the system in case of an abort."
TEST(Paper_4_5, TheUndoMethodIsCalledForEachAbortAndNotForTheCommit) {
  struct Device {
    int drawn = 0;
    int kept = 0;
    int undone = 0;
    void undo() noexcept {
      drawn = kept;
      ++undone;
    }
    void committed() noexcept { kept = drawn; }
  };
  sim::Cluster<> cluster({.nodes = 3, .seed = 3});
  Device devices[3];
  std::uint32_t restarts = 0;
  cluster.run([&](auto& node, std::size_t index) {
    for (int i = 0; i < 200; ++i) {
      auto outcome = node.try_run([&](Transaction& t) {
        ++t.use(devices[index]).drawn;
        ++*t.root<std::uint64_t>("count").mut();
        return t.commit();
      });
      restarts += outcome.restarts;
    }
  });
  int undone = 0;
  for (const auto& device : devices) {
    EXPECT_EQ(device.drawn, 200);
    undone += device.undone;
  }
  EXPECT_GT(undone, 0);
  EXPECT_EQ(static_cast<std::uint32_t>(undone), restarts);
}

}  // namespace
}  // namespace plurix::testing

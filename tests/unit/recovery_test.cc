// Epochs: how the PageServer gives members up, and what the survivors and those given up do. Core 0
// is the PageServer; a core that is cut off is as good as dead to the others.
#include <gtest/gtest.h>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

constexpr auto kLong = milliseconds(1'000);

class Recovering : public ::testing::Test {
 protected:
  Recovering() { net_.pass(kLong); }

  const CoreContext& at(std::size_t n) const { return net_.core(n).core(); }

  void die(std::size_t n) {
    net_.cut_off(n, true);
    net_.pass(kLong);
  }

  Value read(std::size_t n, PageIndex page) { return net_.read(n, page); }

  template <class Is>
  std::size_t count(Is is) const {
    std::size_t found = 0;
    for (std::size_t n = 0; n < 4; ++n) found += is(net_.core(n)) ? 1 : 0;
    return found;
  }

  WiredCores net_{{.nodes = 4, .later = 1, .core = WiredOptions::with_page_server()}};
};

TEST_F(Recovering, LeavesACalmClusterAlone) {
  net_.pass(kLong);
  for (std::size_t n = 0; n < 4; ++n) {
    EXPECT_EQ(at(n).epoch, 1u);
    EXPECT_TRUE(at(n).in_service());
  }
  EXPECT_EQ(net_.counters(0).epochs_opened, 0u);
}

TEST_F(Recovering, MakesOneCopyOfADeadOwnersPageThePage) {
  net_.commit(3, {4}, 40);
  EXPECT_EQ(read(1, 4), 40u);
  EXPECT_EQ(read(2, 4), 40u);
  die(3);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(at(n).epoch, 2u);
    EXPECT_FALSE(at(n).is_member[3]);
    EXPECT_EQ(read(n, 4), 40u);
  }
  EXPECT_EQ(net_.counters(0).pages_assigned, 1u);
  EXPECT_EQ(count([](const ProtocolCore& core) {
              return core.core().epoch == 2 && core.directory().state(4) == PageState::kOwned;
            }),
            1u);
  net_.commit(2, {4}, 41);
  EXPECT_EQ(read(1, 4), 41u);
}

TEST_F(Recovering, GoesBackToTheImageWhenTheOnlyCopyOfAPageDied) {
  net_.commit(1, {5}, 50);
  net_.commit(3, {4}, 40);
  die(3);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(at(n).epoch, 3u);  // the second one knew that a page was lost
    EXPECT_EQ(read(n, 4), 0u);
    EXPECT_EQ(read(n, 5), 0u);
  }
  net_.commit(2, {5}, 51);
  EXPECT_EQ(read(1, 5), 51u);
}

TEST_F(Recovering, StartsFromTheNewestTimeAnySurvivorHasApplied) {
  net_.commit(2, {4}, 40);
  net_.rule({.from = 2, .type = MessageType::kCommitNotice}, Fate::kIsLost, 3);
  net_.cut_off(3, true);
  net_.begin(2);
  ASSERT_TRUE(net_.store(2, 4, 41));
  net_.want_commit(2);
  const auto newest = net_.applied(2);
  ASSERT_GT(newest, net_.applied(0));
  net_.pass(kLong);
  EXPECT_GE(at(0).epoch_start, newest);
  EXPECT_EQ(net_.counters(2).expulsions, 0u);
  EXPECT_EQ(read(1, 4), 41u);
}

TEST_F(Recovering, ReplacesTheToken) {
  net_.commit(1, {4}, 40);
  ASSERT_TRUE(net_.core(1).token().held());
  die(3);
  EXPECT_EQ(
      count([](const ProtocolCore& core) { return core.core().epoch == 2 && core.token().held(); }),
      1u);
}

TEST_F(Recovering, WaitsForATransactionToEndBeforeItEntersAnEpoch) {
  net_.begin(1);
  net_.load(1, 4);
  net_.cut_off(3, true);
  for (int i = 0; i < 1'000 && at(0).epoch != 2; ++i) net_.pass(milliseconds(1));
  net_.pass(milliseconds(50));
  EXPECT_EQ(at(0).epoch, 2u);
  EXPECT_EQ(at(1).epoch, 1u);
  EXPECT_TRUE(net_.core(1).attempt().doomed());
  net_.end(1);
  net_.pass(milliseconds(50));
  EXPECT_EQ(at(1).epoch, 2u);
  EXPECT_TRUE(at(1).in_service());
}

TEST_F(Recovering, AppliesNothingBetweenItsReportAndTheEpoch) {
  net_.commit(2, {4}, 40);
  net_.rule({.to = 1, .type = MessageType::kCommitNotice}, Fate::kIsHeld, 1);
  net_.commit(2, {4}, 41);
  net_.rule({.to = 1, .type = MessageType::kCommitRecords}, Fate::kIsLost, 1000);
  net_.rule({.to = 1, .type = MessageType::kEpochBegin}, Fate::kIsLost, 1000);
  const auto before = net_.applied(1);
  net_.cut_off(3, true);
  for (int i = 0; i < 500 && !at(1).frozen(); ++i) net_.pass(milliseconds(1));
  ASSERT_TRUE(at(1).frozen());
  net_.release();
  net_.deliver_all();
  EXPECT_EQ(net_.applied(1), before);
}

TEST_F(Recovering, LetsWhoWasGivenUpStartANewLife) {
  net_.commit(3, {4}, 40);
  EXPECT_EQ(read(1, 4), 40u);
  const auto life = at(3).incarnation;
  die(3);
  net_.cut_off(3, false);
  net_.pass(kLong);
  EXPECT_EQ(net_.counters(3).expulsions, 1u);
  EXPECT_TRUE(at(3).in_service());
  EXPECT_EQ(at(3).epoch, 2u);
  EXPECT_NE(at(3).incarnation, life);
  EXPECT_EQ(read(3, 4), 40u);
  net_.commit(3, {4}, 41);
  EXPECT_EQ(read(0, 4), 41u);
}

TEST_F(Recovering, LetsWhoWasInTheMiddleOfAResynchronizationStartANewLife) {
  net_.commit(1, {4, 5}, 40);
  EXPECT_EQ(read(2, 4), 40u);
  EXPECT_EQ(read(0, 5), 40u);
  // Node 1 misses more than the log holds, and waits for what it has missed.
  net_.commit(2, {6}, 60);
  net_.freeze(1, true);
  for (Value i = 0; i <= at(0).config.log_records; ++i) net_.commit(2, {6}, i);
  net_.freeze(1, false);
  net_.lose({.to = 1});
  net_.rule({.to = 1, .type = MessageType::kSyncReply}, Fate::kIsLost, 40);
  for (int i = 0; i < 100 && !at(1).resyncing; ++i) net_.pass(milliseconds(1));
  ASSERT_TRUE(at(1).resyncing);
  net_.cut_off(3, true);
  for (int i = 0; i < 1'000 && at(0).epoch != 2; ++i) net_.pass(milliseconds(1));
  ASSERT_EQ(at(0).epoch, 2u);
  EXPECT_FALSE(at(0).is_member[1]);
  net_.pass(kLong * 4);
  EXPECT_EQ(net_.counters(1).expulsions, 1u);
  EXPECT_TRUE(at(1).in_service());
  EXPECT_EQ(at(1).epoch, at(0).epoch);
  EXPECT_EQ(read(1, 4), 40u);
  EXPECT_EQ(read(1, 5), 40u);
}

TEST_F(Recovering, CommitsNothingWhileCutOff) {
  net_.commit(1, {4}, 40);
  const auto before = net_.applied(1);
  net_.cut_off(1, true);
  net_.pass(milliseconds(60));
  EXPECT_FALSE(at(1).in_service());
  net_.begin(1);
  net_.want_commit(1);
  EXPECT_EQ(net_.applied(1), before);
  net_.end(1);
  net_.cut_off(1, false);
  net_.pass(milliseconds(30));
  EXPECT_TRUE(at(1).in_service());
  EXPECT_EQ(at(1).epoch, 1u);
}

TEST_F(Recovering, CountsALeaseFromTheQuestion) {
  net_.rule({.to = 1, .type = MessageType::kEpochLease}, Fate::kIsHeld, 1);
  net_.pass(milliseconds(13));
  // It stands still for longer than a lease and finds the answer when it goes on.
  net_.freeze(1, true);
  net_.pass(milliseconds(100));
  net_.freeze(1, false);
  ASSERT_EQ(net_.release(), 1u);
  net_.deliver_first({.to = 1, .type = MessageType::kEpochLease});
  EXPECT_TRUE(at(1).cut_off);
  net_.pass(milliseconds(30));
  EXPECT_FALSE(at(1).cut_off);
}

TEST_F(Recovering, GoesOnWhileThereIsCertainlyNoPageServer) {
  net_.commit(1, {4}, 40);
  net_.cut_off(0, true);
  for (int i = 0; i < 50; ++i) {
    net_.pass(milliseconds(10));
    net_.step(1, event::PeerAbsent{0, net_.now()});
    net_.step(3, event::PeerAbsent{3, net_.now()});  // it is not the PageServer who is absent
  }
  EXPECT_TRUE(at(1).in_service());
  EXPECT_FALSE(at(2).in_service());
  EXPECT_FALSE(at(3).in_service());
  net_.commit(1, {4}, 41);
  net_.pass(at(1).config.lease);
  EXPECT_FALSE(at(1).in_service());
}

TEST_F(Recovering, WaitsForNoLeaseOfAProcessThatIsNoMore) {
  net_.cut_off(3, true);
  net_.pass(at(0).config.lease);
  net_.step(0, event::PeerAbsent{3, net_.now()});
  net_.pass(milliseconds(1));
  EXPECT_EQ(at(1).epoch, 2u);
  EXPECT_FALSE(at(1).is_member[3]);
  EXPECT_TRUE(at(1).in_service());
}

TEST_F(Recovering, WaitsForNoLeasesOfSeveralProcessesThatAreNoMore) {
  net_.cut_off(2, true);
  net_.cut_off(3, true);
  net_.pass(at(0).config.lease);
  for (int i = 0; i < 3; ++i) {
    net_.step(0, event::PeerAbsent{3, net_.now()});
    net_.pass(at(0).config.recovery_retry);
  }
  EXPECT_EQ(at(1).epoch, 2u);
  EXPECT_EQ(at(1).peers, 1u);
}

// The request to leave that 1 wanted the token for ends with the epoch.
TEST_F(Recovering, AsksAnewForATokenThatItGotForNothing) {
  net_.commit(2, {5}, 50);  // has the token
  net_.rule({.from = 3, .to = 0, .type = MessageType::kLeaveRequest}, Fate::kIsLost, 4);
  net_.rule({.from = 1, .type = MessageType::kTokenRequest}, Fate::kIsLost, 6);
  net_.step(3, event::LeaveWanted{});
  for (int i = 0; i < 200 && !net_.core(1).membership().wants_token(); ++i) {
    net_.pass(milliseconds(1));
  }
  ASSERT_TRUE(net_.core(1).membership().wants_token());
  net_.cut_off(2, true);
  net_.cut_off(3, true);
  for (int i = 0; i < 10 && at(1).epoch == 1; ++i) {
    net_.pass(at(0).config.recovery_retry);
    net_.step(0, event::PeerAbsent{2, net_.now()});
  }
  ASSERT_GT(at(1).epoch, 1u);
  net_.pass(kLong);
  net_.commit(0, {6}, 60);
  net_.commit(1, {4}, 40);
  EXPECT_EQ(read(0, 4), 40u);
}

// A process that has begun there since.
TEST_F(Recovering, TakesNobodyForAbsentWhomItHasHeardSince) {
  net_.cut_off(3, true);
  net_.pass(at(0).config.lease);
  const auto asked_at = net_.now();
  net_.cut_off(3, false);
  net_.pass(milliseconds(20));
  net_.step(0, event::PeerAbsent{3, asked_at});
  net_.pass(kLong);
  EXPECT_EQ(at(1).epoch, 1u);
}

// Of a PageServer that has vanished behind that it could have begun an epoch without this node.
TEST_F(Recovering, RevivesNoLeaseBecauseThereIsNoPageServer) {
  net_.cut_off(0, true);
  net_.pass(at(1).config.lease * 2);
  ASSERT_FALSE(at(1).in_service());
  net_.step(1, event::PeerAbsent{0, net_.now()});
  EXPECT_FALSE(at(1).in_service());
}

TEST_F(Recovering, WaitsForAPageServerThatIsAbsentForTooLong) {
  ASSERT_EQ(at(1).config.absence, milliseconds(10'000));
  net_.cut_off(0, true);
  const auto since = net_.now();
  const auto for_so_long = [&](Duration absence) {
    while (net_.now() - since < absence) {
      net_.pass(milliseconds(10));
      net_.step(1, event::PeerAbsent{0, net_.now()});
    }
    return at(1).in_service();
  };
  EXPECT_TRUE(for_so_long(milliseconds(9'900)));
  EXPECT_FALSE(for_so_long(milliseconds(10'100)));
}

TEST_F(Recovering, DoesNotCountAReportFromBeforeARollback) {
  for (Value i = 0; i < 20; ++i) net_.commit(2, {5}, i);
  net_.commit(3, {4}, 40);
  const auto undone = net_.applied(1);
  const auto life = at(1).incarnation;
  net_.cut_off(3, true);
  for (int i = 0; i < 1'000 && at(1).epoch != 2; ++i) net_.pass(milliseconds(1));
  ASSERT_EQ(at(1).epoch, 2u);
  net_.rule({.to = 1, .type = MessageType::kEpochBegin}, Fate::kIsLost, 100'000);
  net_.pass(kLong);
  EXPECT_GE(at(0).epoch, 4u);  // 1 has not confirmed the rollback, and was given up for it
  EXPECT_FALSE(at(0).is_member[1] && at(0).incarnation_of[1] == life);
  EXPECT_LT(at(0).epoch_start, undone);
}

TEST_F(Recovering, GivesNobodyTheNumberOfADeadOwner) {
  net_.commit(3, {4}, 40);
  EXPECT_EQ(read(1, 4), 40u);
  net_.rule({.type = MessageType::kOrphanClaim}, Fate::kIsLost, 20);
  net_.cut_off(3, true);
  for (int i = 0; i < 1'000 && at(0).epoch != 2; ++i) net_.pass(milliseconds(1));
  net_.ask_to_join(4);
  net_.pass(milliseconds(40));
  EXPECT_TRUE(at(4).member);
  EXPECT_NE(at(4).self, 3);
  net_.pass(kLong);
  EXPECT_EQ(read(4, 4), 40u);
}

TEST_F(Recovering, LetsNobodyLeaveWithTheOnlyCopyOfADeadOwnersPage) {
  net_.commit(3, {4}, 40);
  EXPECT_EQ(read(2, 4), 40u);
  net_.cut_off(3, true);
  for (int i = 0; i < 1'000 && at(2).epoch != 2; ++i) net_.pass(milliseconds(1));
  ASSERT_EQ(at(2).epoch, 2u);
  net_.rule({.type = MessageType::kOrphanClaim}, Fate::kIsLost, 4);
  net_.step(2, event::LeaveWanted{});
  net_.pass(kLong);
  EXPECT_FALSE(at(2).member);
  EXPECT_EQ(net_.counters(0).rollbacks, 0u);
  EXPECT_EQ(read(1, 4), 40u);
}

TEST_F(Recovering, KnowsADeathByTheNextLifeOfTheAddress) {
  net_.commit(3, {4}, 40);
  EXPECT_EQ(read(1, 4), 40u);
  net_.cut_off(3, true);
  wire::JoinRequest request;
  const auto geometry = at(0).config.geometry;
  request.base = geometry.base;
  request.pages = geometry.pages;
  request.format = geometry.format;
  request.page_size = kPageSize;
  request.incarnation = 4711;
  const auto ask = [&] {
    wire::FrameHeader header;
    header.type = MessageType::kJoinRequest;
    header.cluster = at(0).config.cluster_name_hash & CoreContext::kNameHalf;
    const auto body = std::as_bytes(std::span{&request, 1});
    wire::finish_frame(header, body, {});
    std::vector<std::byte> frame(sizeof header + body.size());
    std::memcpy(frame.data(), &header, sizeof header);
    std::memcpy(frame.data() + sizeof header, body.data(), body.size());
    net_.step(1, event::FrameArrived{frame, WiredCores::endpoint(3)});
  };
  net_.observe([&](Bytes frame, const std::vector<std::size_t>&, const std::vector<Fate>&) {
    wire::FrameView view;
    wire::JoinChallenge challenge;
    if (wire::check_frame(frame, view) != wire::DropReason::kNone) return;
    if (view.header.type != MessageType::kJoinChallenge) return;
    if (wire::read_body(view.body, challenge)) request.cookie = challenge.cookie;
  });
  ask();
  ASSERT_NE(request.cookie, 0u);
  ask();
  net_.pass(milliseconds(100));  // far less than the silence that would have told it
  EXPECT_EQ(at(0).epoch, 2u);
  EXPECT_EQ(net_.counters(1).deaths_reported, 1u);
}

}  // namespace
}  // namespace plurix::testing

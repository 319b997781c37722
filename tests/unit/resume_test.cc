// A PageServer that comes back: the cluster goes on with what its members have, and from the image
// only where that is not whole; and one that had left them joins them again. Core 0 is the
// PageServer.
#include <gtest/gtest.h>

#include <cstring>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

constexpr auto kLong = milliseconds(1'000);
constexpr auto kShort = milliseconds(100);  // nobody is suspected

class Resuming : public ::testing::Test {
 protected:
  Resuming() {
    net_.pass(kLong);
    net_.keep_images([this](std::size_t n, const Action& action) {
      if (action.kind == ActionKind::kRestore) load(n);
      if (action.kind != ActionKind::kImagePage) return;
      ++image_pages_;
      std::memcpy(&taken_[action.page], action.payload.data(), sizeof(Value));
    });
  }

  const CoreContext& at(std::size_t n) const { return net_.core(n).core(); }

  Value read(std::size_t n, PageIndex page) { return net_.read(n, page); }

  /// The image is the heap as it is now.
  void take_image() {
    net_.pass(milliseconds(10));
    stored_.time = net_.applied(0);
    stored_.high_water = at(0).high_water;
    for (PageIndex page = 0; page < stored_.high_water; ++page) {
      for (std::size_t n = 0; n < net_.size(); ++n) {
        const bool owns = net_.core(n).directory().state(page) == PageState::kOwned;
        if (owns) image_[page] = net_.frame(n, page);
      }
    }
  }

  void load(std::size_t n) {
    for (PageIndex page = 0; page < stored_.high_water; ++page) {
      std::memcpy(net_.frames(n) + page * kPageSize, &image_[page], sizeof(Value));
    }
  }

  /// The PageServer dies, its members notice, and it comes back with the image.
  void die_and_resume() {
    stored_.cluster = at(0).cluster;
    stored_.epoch = at(0).epoch + epochs_missed_;
    stored_.incarnation = at(0).incarnation;
    net_.replace(0);
    net_.cut_off(0, true);
    net_.pass(milliseconds(100));
    net_.cut_off(0, false);
    load(0);
    stored_.silent_since = net_.now();
    net_.step(0, event::ResumeWanted{WiredCores::endpoint(0), 0, stored_});
    net_.pass(kLong);
  }

  /// The PageServer leaves in an orderly way.
  void leave() {
    stored_.cluster = at(0).cluster;
    stored_.epoch = at(0).epoch;
    net_.step(0, event::LeaveWanted{});
    net_.pass(kShort);
    ASSERT_FALSE(at(0).member);
  }

  void ask_to_rejoin() {
    net_.replace(0, 1);
    const Endpoint seeds[] = {WiredCores::endpoint(1), WiredCores::endpoint(2)};
    net_.step(0, event::JoinWanted{seeds, WiredCores::endpoint(0), false, 0, stored_});
  }

  /// … and joins those again who went on.
  void rejoin() {
    ask_to_rejoin();
    net_.pass(kLong);
  }

  void expect_nothing_undone(CommitTime time) {
    EXPECT_GE(at(0).epoch_start, time);
    for (std::size_t n = 0; n < 3; ++n) {
      EXPECT_TRUE(at(n).in_service());
      EXPECT_EQ(at(n).epoch, stored_.epoch + 1);
      EXPECT_EQ(net_.counters(n).rollbacks, 0u);
      EXPECT_EQ(net_.counters(n).expulsions, 0u);
    }
  }

  event::StoredCluster stored_;
  Value image_[32] = {};
  std::size_t image_pages_ = 0;
  Value taken_[32] = {};     ///< what was in them
  Epoch epochs_missed_ = 0;  ///< that began and of which the members do not know
  WiredCores net_{{.nodes = 3, .core = WiredOptions::with_page_server()}};
};

TEST_F(Resuming, UndoesNothing) {
  net_.commit(1, {4, 5}, 40);
  take_image();
  net_.commit(2, {5, 6}, 50);
  const auto newest = net_.applied(2);
  die_and_resume();
  expect_nothing_undone(newest);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(read(n, 4), 40u);
    EXPECT_EQ(read(n, 5), 50u);
    EXPECT_EQ(read(n, 6), 50u);
  }
  net_.commit(0, {4, 5}, 60);
  EXPECT_EQ(read(1, 5), 60u);
}

TEST_F(Resuming, BeforeTheFirstImageUndoesNothing) {
  net_.commit(1, {4}, 40);
  const auto newest = net_.applied(1);
  die_and_resume();
  expect_nothing_undone(newest);
  EXPECT_EQ(read(0, 4), 40u);
}

TEST_F(Resuming, OfAClusterThatIsAsInTheImageLearnsWhoOwnsWhat) {
  net_.commit(1, {4}, 40);
  take_image();
  die_and_resume();
  expect_nothing_undone(stored_.time);
  EXPECT_EQ(net_.core(1).directory().state(4), PageState::kOwned);
  EXPECT_EQ(net_.core(0).directory().state(4), PageState::kCopy);
  net_.commit(2, {4}, 41);
  EXPECT_EQ(read(0, 4), 41u);
}

TEST_F(Resuming, OwnsWhatItOwnedAndHasInItsImage) {
  net_.commit(0, {4}, 40);
  take_image();
  net_.commit(1, {5}, 50);
  const auto newest = net_.applied(1);
  die_and_resume();
  expect_nothing_undone(newest);
  EXPECT_EQ(net_.core(0).directory().state(4), PageState::kOwned);
  EXPECT_EQ(read(1, 4), 40u);
}

TEST_F(Resuming, TakesACopyOfWhatItWroteAfterTheImage) {
  net_.commit(0, {4}, 40);
  take_image();
  net_.commit(0, {4}, 41);
  EXPECT_EQ(read(2, 4), 41u);
  die_and_resume();
  expect_nothing_undone(stored_.time);
  EXPECT_EQ(net_.core(2).directory().state(4), PageState::kOwned);
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(read(n, 4), 41u);
}

TEST_F(Resuming, GoesBackToTheImageWhenItHadTheOnlyCopyOfAPage) {
  net_.commit(0, {4}, 40);
  take_image();
  net_.commit(0, {4}, 41);
  net_.commit(1, {5}, 50);
  die_and_resume();
  EXPECT_EQ(at(0).epoch, stored_.epoch + 2);  // the first one knew that a page was lost
  EXPECT_EQ(at(0).epoch_start, stored_.time);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(read(n, 4), 40u);
    EXPECT_EQ(read(n, 5), 0u);
  }
}

TEST_F(Resuming, GoesOnWithTheSurvivorsOfAMemberThatDiedMeanwhile) {
  net_.commit(1, {4}, 40);
  take_image();
  net_.commit(1, {5}, 50);
  EXPECT_EQ(read(2, 5), 50u);
  net_.cut_off(1, true);
  die_and_resume();
  EXPECT_EQ(at(0).epoch, stored_.epoch + 1);
  EXPECT_EQ(net_.counters(2).rollbacks, 0u);
  EXPECT_EQ(read(0, 4), 40u);  // it died with its owner; the image has it as it was
  EXPECT_EQ(read(0, 5), 50u);
}

TEST_F(Resuming, DoesNotCountAReportFromBeforeAnEpochThatBegan) {
  net_.commit(1, {4}, 40);
  take_image();
  net_.commit(1, {4}, 41);
  epochs_missed_ = 1;
  die_and_resume();
  EXPECT_EQ(at(0).epoch_start, stored_.time);
  EXPECT_EQ(net_.counters(1).expulsions, 1u);
  EXPECT_TRUE(at(1).in_service());
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(read(n, 4), 40u);
}

TEST_F(Resuming, TakesMembersThatLackWhatTheImageHasBackToIt) {
  net_.commit(1, {4}, 40);
  net_.commit(0, {5}, 49);
  net_.cut_off(1, true);
  net_.cut_off(2, true);
  net_.commit(0, {5}, 50);
  take_image();
  ASSERT_LT(net_.applied(1), stored_.time);
  net_.cut_off(1, false);
  net_.cut_off(2, false);
  die_and_resume();
  EXPECT_EQ(at(0).epoch_start, stored_.time);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(read(n, 4), 40u);
    EXPECT_EQ(read(n, 5), 50u);
  }
}

TEST_F(Resuming, WaitsForTheLeasesOfItsFormerLife) {
  take_image();
  stored_.cluster = at(0).cluster;
  stored_.epoch = at(0).epoch;
  stored_.incarnation = at(0).incarnation;
  net_.replace(0);
  stored_.silent_since = net_.now();
  net_.step(0, event::ResumeWanted{WiredCores::endpoint(0), 0, stored_});
  net_.pass(at(0).config.lease * 3);
  EXPECT_TRUE(at(0).frozen());
  EXPECT_EQ(at(0).epoch, 1u);
  net_.pass(at(0).config.lease * 2);
  EXPECT_EQ(at(0).epoch, 2u);
}

// Who starts everything again shall not find two clusters.
TEST_F(Resuming, LetsNobodyFoundTheClusterMeanwhile) {
  WiredCores net({.nodes = 1, .later = 1, .core = WiredOptions::with_page_server()});
  net.pass(kLong);
  event::StoredCluster stored;
  stored.cluster = net.core(0).core().cluster;
  stored.incarnation = net.core(0).core().incarnation;
  // Its absence may be longer than anybody is willing to wait for an answer.
  stored.silent_since = net.now() + milliseconds(1'000);
  net.replace(0);
  net.step(0, event::ResumeWanted{WiredCores::endpoint(0), 0, stored});
  net.ask_to_join(1, 0, true);
  net.pass(milliseconds(900));
  EXPECT_TRUE(net.core(0).core().frozen());
  EXPECT_FALSE(net.core(1).core().member);
  net.pass(milliseconds(1'500));
  EXPECT_TRUE(net.core(1).core().in_service());
  EXPECT_EQ(net.core(1).core().cluster, stored.cluster);
}

// The smallest address decides among newcomers only.
TEST_F(Resuming, IsWaitedForByANewcomerThatAsksAnotherMember) {
  net_.cut_off(0, true);
  net_.pass(kLong);
  ASSERT_TRUE(at(2).cut_off);
  net_.replace(1, 1);
  net_.ask_to_join(1, 2, true);
  net_.pass(kLong);
  EXPECT_FALSE(at(1).member);
}

TEST_F(Resuming, OfOneThatHadLeftIsToJoinThoseWhoWentOn) {
  net_.commit(1, {4, 5}, 40);
  take_image();
  leave();
  net_.commit(2, {5, 6}, 50);
  const auto newest = net_.applied(2);
  rejoin();
  ASSERT_TRUE(at(0).in_service());
  EXPECT_EQ(at(0).page_server, at(0).self);
  EXPECT_EQ(at(0).epoch, 1u);
  EXPECT_GT(net_.applied(0), newest);
  EXPECT_EQ(read(0, 4), 40u);
  EXPECT_EQ(read(0, 5), 50u);
  net_.commit(1, {6}, 60);
  EXPECT_EQ(read(0, 6), 60u);
}

TEST_F(Resuming, OfOneThatHadLeftTakesItsNextImageWhole) {
  net_.commit(1, {4}, 40);
  take_image();
  leave();
  net_.commit(2, {5}, 50);
  rejoin();
  net_.step(0, event::ImageWanted{false});
  net_.pass(kLong);
  EXPECT_EQ(image_pages_, 2u);
  net_.step(0, event::ImageStored{true});
  net_.commit(2, {5}, 51);
  net_.step(0, event::ImageWanted{false});
  net_.pass(kLong);
  EXPECT_EQ(image_pages_, 3u);
}

// Also what was written before the image it has is kept for it as it was.
TEST_F(Resuming, OfOneThatHadLeftTakesItsNextImageAsOfOneTime) {
  net_.commit(1, {4}, 40);
  take_image();
  leave();
  net_.commit(2, {5}, 50);
  rejoin();
  net_.rule({.to = 1, .type = MessageType::kImageRequest}, Fate::kIsLost, 1);
  net_.step(0, event::ImageWanted{false});
  net_.pass(milliseconds(2));
  ASSERT_TRUE(net_.core(0).imaging().busy());
  net_.commit(1, {4}, 41);
  net_.pass(kLong);
  EXPECT_EQ(taken_[4], 40u);
}

TEST_F(Resuming, OfOneThatHadLeftGoesBackToTheImageItHasIfAPageDies) {
  net_.commit(1, {4}, 40);
  take_image();
  leave();
  net_.commit(2, {4}, 50);
  rejoin();
  net_.cut_off(2, true);  // with the only copy
  net_.pass(kLong);
  EXPECT_EQ(at(0).epoch_start, stored_.time);
  EXPECT_EQ(read(1, 4), 40u);
}

// Whatever happens to it before it has everything.
TEST_F(Resuming, OfOneThatHadLeftGoesBackToTheImageItHasIfNobodyHelpsIt) {
  net_.commit(1, {4}, 40);
  take_image();
  leave();
  net_.rule({.to = 0, .type = MessageType::kSyncReply}, Fate::kArrives, 1);
  net_.rule({.to = 0, .type = MessageType::kSyncReply}, Fate::kIsLost, 1'000);
  ask_to_rejoin();
  net_.pass(milliseconds(50));
  ASSERT_TRUE(at(0).member && at(0).resyncing);
  net_.cut_off(0, true);
  net_.pass(kLong * 3);
  EXPECT_EQ(at(0).epoch, 2u);
  EXPECT_EQ(at(0).epoch_start, stored_.time);
}

TEST_F(Resuming, OfOneThatHadLeftIsHeardOfByAMemberWhoseLeaseRanOutMeanwhile) {
  net_.commit(1, {4}, 40);
  net_.cut_off(2, true);
  net_.pass(at(2).config.lease * 2);
  ASSERT_TRUE(at(2).cut_off);
  net_.rule({.from = 2, .type = MessageType::kJoinRequest}, Fate::kIsLost, 1'000);
  leave();
  net_.commit(1, {4}, 41);
  net_.cut_off(2, false);
  net_.commit(1, {4}, 42);
  net_.pass(kShort);
  EXPECT_TRUE(at(2).in_service());
  EXPECT_EQ(read(2, 4), 42u);
}

// It knows nobody any more, and nobody it knows speaks to it.
TEST_F(Resuming, OfOneThatHadLeftIsHeardOfByAMemberThatAnEpochBeganWithout) {
  net_.commit(1, {4}, 40);
  take_image();
  net_.cut_off(2, true);
  leave();
  ask_to_rejoin();
  net_.pass(kLong);
  ASSERT_EQ(at(0).epoch, 2u);
  ASSERT_FALSE(at(0).is_member[2]);
  net_.cut_off(2, false);
  net_.pass(kLong);
  EXPECT_TRUE(at(2).in_service());
  EXPECT_EQ(at(2).epoch, 2u);
  EXPECT_EQ(read(2, 4), 40u);
}

// Nobody else could bring in who has not heard of it.
TEST_F(Resuming, OfOneThatHadLeftFindsEverybodyInTheEpochItLeft) {
  WiredCores net({.nodes = 4, .core = WiredOptions::with_page_server()});
  net.pass(kLong);
  net.cut_off(3, true);
  net.rule({.to = 1, .type = MessageType::kEpochBegin}, Fate::kIsLost, 17);
  for (int i = 0; i < 1'000 && net.core(2).core().epoch == 1; ++i) net.pass(milliseconds(1));
  ASSERT_EQ(net.core(2).core().epoch, 2u);
  net.step(0, event::LeaveWanted{});
  net.pass(kLong);
  EXPECT_FALSE(net.core(0).core().member);
  EXPECT_EQ(net.core(1).core().epoch, net.core(2).core().epoch);
  EXPECT_TRUE(net.core(1).core().in_service());
}

TEST_F(Resuming, OfOneThatDiedWhileItLeftIsNotForgottenWhenItIsBack) {
  net_.commit(1, {4}, 40);
  net_.rule({.type = MessageType::kLeaveRequest}, Fate::kIsHeld, 100);
  net_.step(0, event::LeaveWanted{});
  net_.pass(milliseconds(30));  // it asks 1
  net_.commit(2, {5}, 50);      // has the token
  net_.rule({.from = 1, .type = MessageType::kTokenRequest}, Fate::kIsLost, 20);
  ASSERT_GT(net_.release(), 0u);
  net_.deliver_all();
  ASSERT_TRUE(net_.core(1).membership().wants_token());
  die_and_resume();
  net_.commit(2, {5}, 51);
  net_.pass(kLong * 2);
  EXPECT_TRUE(at(0).in_service());
  EXPECT_TRUE(at(1).is_member[0]);
}

// It died while it was about to leave: who has its former life as PageServer waits for that.
TEST_F(Resuming, OfOneThatIsAMemberStillIsNotToJoin) {
  net_.cut_off(0, true);
  net_.pass(milliseconds(20));
  net_.cut_off(0, false);
  ask_to_rejoin();
  net_.pass(milliseconds(20));
  ASSERT_TRUE(net_.core(0).membership().refused());
  EXPECT_EQ(net_.core(0).membership().refusal().reason, wire::RefusalReason::kPageServer);
}

// They do not ask it for leases any more, which is no reason to take them for dead.
TEST_F(Resuming, OfOneThatDoesNotHearThatItHasLeftBeginsNoEpoch) {
  net_.commit(1, {4}, 40);
  net_.rule({.to = 0, .type = MessageType::kCommitNotice}, Fate::kIsLost, 1'000);
  net_.rule({.to = 0, .type = MessageType::kJoinRefused}, Fate::kIsLost, 1'000);
  net_.rule({.to = 0, .type = MessageType::kTimeBeacon}, Fate::kIsLost, 1'000);
  net_.step(0, event::LeaveWanted{});
  net_.pass(kLong);
  ASSERT_EQ(at(1).page_server, kNoNode);
  EXPECT_EQ(net_.counters(0).epochs_opened, 0u);
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(at(n).epoch, 1u);
}

// The token is kept for such an image.
TEST_F(Resuming, OfOneThatHadLeftIsNotPreventedByAnImageThatStopsTheCluster) {
  net_.commit(1, {4}, 40);
  net_.step(0, event::ImageWanted{true});
  net_.pass(milliseconds(10));
  ASSERT_TRUE(net_.core(0).imaging().busy());
  leave();
  net_.commit(1, {4}, 41);
  EXPECT_EQ(read(2, 4), 41u);
}

TEST_F(Resuming, KnowsWhetherAnybodyAnswersWhoCouldLetItIn) {
  ask_to_rejoin();
  net_.cut_off(0, true);
  net_.lose({.from = 0});
  net_.pass(kLong);
  EXPECT_EQ(net_.core(0).membership().join_progress(), JoinProgress::kNobodyAnswers);
  net_.cut_off(0, false);
  net_.pass(milliseconds(30));
  // They wait for a lease of its former life, and can let nobody in.
  EXPECT_EQ(net_.core(0).membership().join_progress(), JoinProgress::kToldToWait);
}

}  // namespace
}  // namespace plurix::testing

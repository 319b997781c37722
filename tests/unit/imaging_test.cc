// Images of the heap at one commit time, taken while others write. Core 0 is the PageServer; what
// it would store stands in a map.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <optional>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

class TakingAnImage : public ::testing::Test {
 protected:
  static CoreConfig with_page_server() {
    auto config = WiredOptions::small_core();
    config.page_server = true;
    config.pre_images = 4;
    return config;
  }

  TakingAnImage() : TakingAnImage(with_page_server()) {}
  explicit TakingAnImage(const CoreConfig& config) : net_({.nodes = 4, .core = config}) {
    net_.pass(milliseconds(1'000));
    net_.keep_images([this](std::size_t n, const Action& action) { on(n, action); });
  }

  void on(std::size_t n, const Action& action) {
    ASSERT_EQ(n, 0u);
    switch (action.kind) {
      case ActionKind::kImageBegin:
        taking_ = stored_;
        taking_time_ = action.time;
        begun_ = true;
        break;
      case ActionKind::kImagePage: {
        Value value = 0;
        std::memcpy(&value, action.payload.data(), sizeof value);
        ASSERT_TRUE(seen_.insert({action.page, value}).second)
            << "page " << action.page << " twice";
        taking_[action.page] = value;
        break;
      }
      case ActionKind::kImageEnd:
        ended_ = true;
        known_ = action.count;
        break;
      case ActionKind::kRestore:
        gone_back_to_ = action.time;
        for (const auto& [page, value] : stored_) {
          std::memcpy(net_.frames(0) + page * kPageSize, &value, sizeof value);
        }
        break;
      default:
        given_up_ = true;
    }
  }

  /// Begins an image; what is sent for it is not delivered.
  CommitTime begin(bool stop = false) {
    begun_ = ended_ = given_up_ = false;
    seen_.clear();
    net_.step(0, event::ImageWanted{stop});
    for (int i = 0; i < 100 && !begun_; ++i) net_.pass(milliseconds(1));
    EXPECT_TRUE(begun_);
    return taking_time_;
  }

  void store_it() {
    ASSERT_TRUE(ended_);
    stored_ = taking_;
    net_.step(0, event::ImageStored{true});
    net_.deliver_all();
  }

  void take() {
    begin();
    for (int i = 0; i < 100 && !ended_; ++i) net_.pass(milliseconds(1));
    store_it();
  }

  /// Holds back every request, so that others can write before it arrives.
  void hold_requests() {
    for (std::size_t n = 1; n < 4; ++n) {
      net_.rule({.to = n, .type = MessageType::kImageRequest}, Fate::kIsHeld, 1000);
    }
  }
  void release_requests() {
    for (int i = 0; i < 200 && !ended_ && !given_up_; ++i) {
      net_.release();
      net_.pass(milliseconds(1));
    }
  }

  const CoreContext& at(std::size_t n) const { return net_.core(n).core(); }

  Value read(std::size_t n, PageIndex page) { return net_.read(n, page); }
  PageState state(std::size_t n, PageIndex page) const {
    return net_.core(n).directory().state(page);
  }

  WiredCores net_;
  std::map<PageIndex, Value> stored_;
  std::map<PageIndex, Value> taking_;
  std::map<PageIndex, Value> seen_;
  CommitTime taking_time_;
  std::optional<CommitTime> gone_back_to_;
  PageIndex known_ = 0;
  bool begun_ = false;
  bool ended_ = false;
  bool given_up_ = false;
};

TEST_F(TakingAnImage, CollectsEveryPageThatWasWritten) {
  net_.commit(1, {4, 5}, 40);
  net_.commit(2, {6}, 60);
  take();
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 40}, {5, 40}, {6, 60}}));
  for (std::size_t n = 0; n < 4; ++n) EXPECT_EQ(at(n).durable, taking_time_);
}

TEST_F(TakingAnImage, AsksForNothingThatItHas) {
  net_.commit(1, {4, 5}, 40);
  EXPECT_EQ(read(0, 4), 40u);
  take();
  EXPECT_EQ(known_, 1u);
  EXPECT_EQ(at(1).counters.image_pages_sent, 1u);
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 40}, {5, 40}}));
}

TEST_F(TakingAnImage, TakesOnlyWhatHasChangedSinceTheOneBefore) {
  net_.commit(1, {4, 5}, 40);
  take();
  net_.commit(2, {5}, 50);
  take();
  EXPECT_EQ(seen_, (std::map<PageIndex, Value>{{5, 50}}));
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 40}, {5, 50}}));
}

TEST_F(TakingAnImage, DoesNotTakeAPageThatWasHereOnce) {
  net_.commit(1, {4}, 40);
  EXPECT_EQ(read(0, 4), 40u);
  net_.commit(2, {4}, 41);
  take();
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 41}}));
}

TEST_F(TakingAnImage, IsOfOneCommitTimeWhateverIsWrittenMeanwhile) {
  net_.commit(1, {4, 5}, 40);
  net_.commit(2, {6}, 60);
  EXPECT_EQ(read(0, 4), 40u);
  hold_requests();
  begin();
  net_.commit(2, {4}, 42);     // was here: taken from our own frame
  net_.commit(3, {5, 6}, 51);  // kept by the node that writes them first
  net_.commit(1, {5}, 52);
  net_.commit(2, {6}, 62);
  release_requests();
  EXPECT_GT(at(3).counters.pre_images_kept, 0u);
  store_it();
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 40}, {5, 40}, {6, 60}}));
  EXPECT_EQ(read(0, 5), 52u);
}

TEST_F(TakingAnImage, KeepsWhatThePageServerItselfOverwrites) {
  net_.commit(1, {4}, 40);
  EXPECT_EQ(read(0, 4), 40u);
  net_.commit(0, {5}, 50);
  begin();
  net_.commit(0, {4, 5}, 51);
  for (int i = 0; i < 100 && !ended_; ++i) net_.pass(milliseconds(1));
  store_it();
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 40}, {5, 50}}));
}

TEST_F(TakingAnImage, DoesNotSeeWhatIsNotCommitted) {
  net_.commit(1, {4}, 40);
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 4, 41));
  take();
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 40}}));
}

TEST_F(TakingAnImage, IsGivenUpWhenThereIsNoRoomForWhatIsOverwritten) {
  net_.commit(1, {4, 5, 6, 7, 8, 9}, 40);
  hold_requests();
  begin();
  net_.commit(2, {4, 5, 6, 7, 8, 9}, 41);
  release_requests();
  EXPECT_TRUE(given_up_);
  EXPECT_FALSE(ended_);
  EXPECT_GT(at(2).counters.pre_images_refused, 0u);
  begin();
  release_requests();
  store_it();
  EXPECT_EQ(stored_.at(9), 41u);
}

TEST_F(TakingAnImage, ThatStopsTheClusterLetsNobodyCommit) {
  net_.commit(1, {4}, 40);
  hold_requests();
  begin(true);
  net_.begin(2);
  net_.load(2, 5);
  ASSERT_TRUE(net_.store(2, 5, 50));
  net_.want_commit(2);
  net_.pass(milliseconds(50));
  EXPECT_EQ(net_.applied(2), taking_time_);
  release_requests();
  store_it();
  net_.pass(milliseconds(200));
  EXPECT_GT(net_.applied(2), taking_time_);
}

TEST_F(TakingAnImage, SurvivesTheLossOfRequestsAndPages) {
  net_.commit(1, {4, 5, 6}, 40);
  net_.rule({.type = MessageType::kImageRequest}, Fate::kIsLost, 2);
  net_.rule({.type = MessageType::kImagePage}, Fate::kIsLost, 4);
  net_.rule({.type = MessageType::kImageNotice}, Fate::kIsLost, 3);
  take();
  net_.pass(milliseconds(200));
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 40}, {5, 40}, {6, 40}}));
  for (std::size_t n = 0; n < 4; ++n) EXPECT_EQ(at(n).durable, taking_time_);
}

class TakingALargeImage : public TakingAnImage {
 protected:
  static constexpr PageIndex kFirst = 4;
  static constexpr PageIndex kPages = 100;

  TakingALargeImage() : TakingAnImage(large()) {}

  static CoreConfig large() {
    auto config = with_page_server();
    config.geometry.pages = 512;
    config.shadow_pages = 128;
    config.image_retry = microseconds(1500);  // a hundred halves are over before a silence counts
    return config;
  }

  static std::vector<PageIndex> pages_from(PageIndex first) {
    std::vector<PageIndex> pages(kPages);
    std::iota(pages.begin(), pages.end(), first);
    return pages;
  }

  std::uint64_t sent_by(std::size_t n) const { return at(n).counters.image_pages_sent; }
};

TEST_F(TakingALargeImage, HasEveryOwnerSendAtOnce) {
  net_.commit(1, pages_from(kFirst), 40);
  net_.commit(2, pages_from(kFirst + kPages), 60);
  net_.rule({.type = MessageType::kImagePage}, Fate::kIsHeld, 1000);
  begin();
  EXPECT_GE(sent_by(1), 2 * wire::kMaxImagePages);
  EXPECT_GE(sent_by(2), 2 * wire::kMaxImagePages);
  release_requests();
  store_it();
  EXPECT_EQ(stored_.size(), 2 * kPages);
}

// Hundreds of pages whose owner died are here, and the one behind them is nowhere.
TEST_F(TakingALargeImage, IsGoneBackToBeforeAnythingIsGivenToNewOwners) {
  for (PageIndex first = kFirst; first < kFirst + 4 * kPages; first += kPages) {
    net_.commit(3, pages_from(first), 40);
  }
  take();
  const auto last = kFirst + 4 * kPages;
  net_.commit(3, {last}, 41);
  net_.cut_off(3, true);
  net_.pass(milliseconds(1'000));
  EXPECT_EQ(gone_back_to_, taking_time_);
  EXPECT_EQ(net_.counters(0).pages_assigned, 0u);
}

// What was asked for first may be answered last, on a way as slow as may be.
TEST_F(TakingALargeImage, AsksForNothingAgainAsLongAsPagesCome) {
  net_.commit(1, pages_from(kFirst), 40);
  net_.rule({.type = MessageType::kImagePage}, Fate::kIsHeld, 1000);
  begin();
  const Duration between{at(0).config.image_retry.ns / 2};
  for (PageIndex i = 0; i < kPages; ++i) {
    net_.release();
    ASSERT_GT(net_.count({.type = MessageType::kImagePage}), 0u) << "page " << i;
    net_.deliver_first({.type = MessageType::kImagePage});
    net_.pass_for(0, between);
    while (net_.count({.type = MessageType::kImageRequest}) > 0) {
      net_.deliver_first({.type = MessageType::kImageRequest});
    }
  }
  store_it();
  EXPECT_EQ(sent_by(1), kPages);
}

TEST_F(TakingALargeImage, WaitsForTheStoreAsLongAsOthersWorkOn) {
  net_.commit(1, pages_from(kFirst), 40);
  begin();
  net_.step(0, event::ImageHeld{true});
  net_.pass(at(0).config.image_patience * 2);
  const auto before = seen_.size();
  EXPECT_LT(before, kPages);
  EXPECT_FALSE(ended_ || given_up_);
  net_.commit(2, {kFirst}, 60);
  net_.step(0, event::ImageHeld{false});
  for (int i = 0; i < 100 && !ended_; ++i) net_.pass(milliseconds(1));
  store_it();
  EXPECT_EQ(stored_.size(), kPages);
  EXPECT_EQ(stored_[kFirst], 40u);
}

TEST_F(TakingALargeImage, LeavesPausesWhileOthersWorkOn) {
  net_.commit(1, pages_from(kFirst), 40);
  begin();
  const auto first = net_.now();
  for (int i = 0; i < 1000 && !ended_; ++i) net_.pass(microseconds(10));
  store_it();
  // More than one turn's requests may be on the way at once.
  EXPECT_GE(net_.now() - first, at(0).config.image_pause);
}

TEST_F(TakingAnImage, IsNotEndedByALateNoticeOfTheOneBefore) {
  net_.commit(1, {4}, 40);
  net_.rule({.to = 1, .type = MessageType::kImageNotice}, Fate::kIsHeld, 1);
  take();
  net_.commit(1, {4}, 41);
  net_.rule({.to = 1, .type = MessageType::kImageRequest}, Fate::kIsLost, 1);
  begin();
  EXPECT_EQ(at(1).durable, CommitTime{});
  net_.release();
  net_.deliver_all();
  EXPECT_GT(at(1).durable, CommitTime{});
  net_.commit(1, {4}, 42);
  net_.pass(milliseconds(50));
  store_it();
  EXPECT_EQ(stored_, (std::map<PageIndex, Value>{{4, 41}}));
}

TEST_F(TakingAnImage, IsGivenUpByANewEpoch) {
  net_.commit(1, {4}, 40);
  EXPECT_EQ(read(2, 4), 40u);
  hold_requests();
  begin();
  net_.cut_off(3, true);
  net_.pass(milliseconds(1'000));
  EXPECT_TRUE(given_up_);
  EXPECT_EQ(at(0).durable, CommitTime{});
  EXPECT_GT(at(0).epoch, 1u);
}

TEST_F(TakingAnImage, IsWhereTheClusterGoesBackTo) {
  net_.commit(1, {4, 5}, 40);
  take();
  const auto time = taking_time_;
  net_.commit(2, {5}, 50);
  net_.commit(3, {4}, 41);
  net_.cut_off(3, true);  // with the only copy of page 4
  net_.pass(milliseconds(1'000));
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(at(n).epoch_start, time);
    EXPECT_EQ(read(n, 4), 40u);
    EXPECT_EQ(read(n, 5), 40u);
  }
  net_.commit(2, {4}, 43);
  EXPECT_EQ(read(1, 4), 43u);
  take();
  EXPECT_EQ(seen_, (std::map<PageIndex, Value>{{4, 43}}));
}

TEST_F(TakingAnImage, LeavesACopyThatOutlivesTheOwner) {
  net_.commit(3, {4}, 40);
  take();
  net_.cut_off(3, true);
  net_.pass(milliseconds(1'000));
  EXPECT_EQ(at(0).counters.rollbacks, 0u);
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(read(n, 4), 40u);
}

// Whoever waits for the end of it would wait for the copies too.
TEST_F(TakingAnImage, ThatStopsTheClusterLeavesNoCopies) {
  net_.commit(3, {4}, 40);
  begin(true);
  for (int i = 0; i < 100 && !ended_; ++i) net_.pass(milliseconds(1));
  store_it();
  EXPECT_EQ(state(0, 4), PageState::kAbsent);
}

TEST_F(TakingAnImage, LeavesNoCopyOfWhatWasWrittenMeanwhile) {
  net_.commit(3, {4, 5}, 40);
  hold_requests();
  begin();
  net_.commit(3, {4}, 41);
  release_requests();
  store_it();
  EXPECT_EQ(state(0, 4), PageState::kAbsent);
  EXPECT_EQ(state(0, 5), PageState::kCopy);
  EXPECT_EQ(read(0, 4), 41u);
}

TEST_F(TakingAnImage, LeavesWhatWasNotWrittenSinceWhereItIs) {
  net_.commit(1, {4}, 40);
  net_.commit(3, {5, 6}, 50);
  take();
  EXPECT_EQ(read(1, 6), 50u);
  net_.commit(2, {4}, 41);
  EXPECT_EQ(read(1, 4), 41u);  // a copy of what will be undone
  net_.commit(3, {5}, 51);
  net_.cut_off(3, true);  // with the only copy of page 5
  net_.pass(milliseconds(1'000));
  EXPECT_EQ(gone_back_to_, taking_time_);
  EXPECT_EQ(state(1, 6), PageState::kCopy);
  EXPECT_EQ(state(1, 4), PageState::kAbsent);
  EXPECT_EQ(state(0, 6), PageState::kOwned);
  // A store need not read what was last written before the image.
  EXPECT_LT(net_.core(0).directory().written(6), taking_time_);
  EXPECT_EQ(net_.core(0).directory().written(4), taking_time_);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(read(n, 4), 40u);
    EXPECT_EQ(read(n, 5), 50u);
    EXPECT_EQ(read(n, 6), 50u);
  }
}

// Its superblock may be on the disk: if the store did not hear of the rollback, who starts next
// would take it for the newest state.
TEST_F(TakingAnImage, ThatFailedIsKnownToBeUndoneBeforeThereWasAnother) {
  net_.commit(3, {4}, 40);
  begin();
  for (int i = 0; i < 100 && !ended_; ++i) net_.pass(milliseconds(1));
  net_.step(0, event::ImageStored{false});
  net_.commit(3, {4}, 41);
  net_.cut_off(3, true);  // with the only copy of page 4
  net_.pass(milliseconds(1'000));
  EXPECT_EQ(at(0).epoch_start, CommitTime{});
  EXPECT_EQ(gone_back_to_, CommitTime{});
}

TEST_F(TakingAnImage, TellsWhatIsDurableOnlyWhenItIs) {
  net_.commit(1, {4}, 40);
  begin();
  for (int i = 0; i < 100 && !ended_; ++i) net_.pass(milliseconds(1));
  net_.pass(milliseconds(100));
  for (std::size_t n = 0; n < 4; ++n) EXPECT_EQ(at(n).durable, CommitTime{});
  store_it();
  EXPECT_EQ(at(1).durable, taking_time_);
}

TEST_F(TakingAnImage, IsAskedForByWhoWaits) {
  EXPECT_FALSE(at(0).image_asked);
  net_.step(2, event::DurableWanted{true});
  net_.pass(milliseconds(100));
  EXPECT_TRUE(at(0).image_asked);
}

TEST(Undone, TellsCommitsApartByTheirEpoch) {
  Undone undone;
  undone.add(3, {10});
  EXPECT_EQ(undone.was({10}, 2), Undone::Answer::kNo);
  EXPECT_EQ(undone.was({11}, 2), Undone::Answer::kYes);
  EXPECT_EQ(undone.was({11}, 3), Undone::Answer::kNo);
  undone.lose_thread(3);
  EXPECT_EQ(undone.was({11}, 3), Undone::Answer::kUnknown);
  EXPECT_EQ(undone.was({11}, 4), Undone::Answer::kNo);
}

}  // namespace
}  // namespace plurix::testing

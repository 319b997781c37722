// What a step wants done: bounded in number and in bytes, and frames beyond either bound are
// dropped and counted, never cut.
#include <gtest/gtest.h>
#include <plurix/dsm/core_context.h>

#include <memory>
#include <vector>

namespace plurix {
namespace {

class ActionListTest : public ::testing::Test {
 protected:
  void send(std::size_t body_bytes) {
    core_.send(1, wire::MessageType::kCommitRecords, std::vector<std::byte>(body_bytes));
  }
  std::uint64_t dropped() const { return core_.counters.actions_dropped; }

  std::unique_ptr<ActionList> actions_ = std::make_unique<ActionList>();
  CoreContext core_{CoreConfig{}, *actions_};
};

TEST_F(ActionListTest, HoldsWholeFramesThatPassTheirChecks) {
  core_.self = 4;
  core_.epoch = 2;
  core_.applied = {77};
  send(100);
  ASSERT_EQ(actions_->view().size(), 1u);
  const auto& action = actions_->view()[0];
  EXPECT_EQ(action.kind, ActionKind::kSend);
  EXPECT_EQ(action.node, 1);
  wire::FrameView frame;
  ASSERT_EQ(wire::check_frame(action.head, frame), wire::DropReason::kNone);
  EXPECT_EQ(frame.header.sender, 4);
  EXPECT_EQ(frame.header.receiver, 1);
  EXPECT_EQ(frame.header.epoch, 2u);
  EXPECT_EQ(frame.header.commit_time, CommitTime{77});
  EXPECT_EQ(frame.body.size(), 100u);
}

TEST_F(ActionListTest, DropsAndCountsFramesBeyondItsNumber) {
  for (std::size_t i = 0; i < ActionList::kMaxActions; ++i) send(0);
  EXPECT_EQ(dropped(), 0u);
  send(0);
  EXPECT_EQ(dropped(), 1u);
  EXPECT_EQ(actions_->view().size(), ActionList::kMaxActions);
}

TEST_F(ActionListTest, DropsAndCountsFramesBeyondItsBytes) {
  constexpr std::size_t kFrame = sizeof(wire::FrameHeader) + 1400;
  constexpr auto kFit = ActionList::kArenaBytes / kFrame;
  for (std::size_t i = 0; i < kFit + 3; ++i) send(1400);
  EXPECT_EQ(dropped(), 3u);
  EXPECT_EQ(actions_->view().size(), kFit);
  for (const auto& action : actions_->view()) {
    wire::FrameView frame;
    EXPECT_EQ(wire::check_frame(action.head, frame), wire::DropReason::kNone);
  }
}

TEST_F(ActionListTest, HasRoomAgainWhenCleared) {
  for (std::size_t i = 0; i < ActionList::kMaxActions + 1; ++i) send(0);
  actions_->clear();
  EXPECT_TRUE(actions_->empty());
  EXPECT_EQ(actions_->last(), nullptr);
  send(1400);
  EXPECT_EQ(actions_->view().size(), 1u);
}

TEST(Backoff, DoublesUpToItsLimit) {
  const auto first = milliseconds(2);
  const auto limit = milliseconds(64);
  EXPECT_EQ(backoff(first, 0, limit), milliseconds(2));
  EXPECT_EQ(backoff(first, 1, limit), milliseconds(4));
  EXPECT_EQ(backoff(first, 5, limit), milliseconds(64));
  EXPECT_EQ(backoff(first, 6, limit), limit);
  EXPECT_EQ(backoff(first, 4'000'000'000u, limit), limit);
}

}  // namespace
}  // namespace plurix

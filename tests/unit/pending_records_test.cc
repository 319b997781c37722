// Commit packets that came too early wait in a window behind what is applied.
#include <gtest/gtest.h>
#include <plurix/dsm/catch_up.h>

#include <memory>

#include "support/frame_builder.h"

namespace plurix::testing {
namespace {

/// A received record whose bytes go away afterwards, as those in a receive buffer do.
void put(PendingRecords& pending, std::uint64_t time, std::uint64_t applied, std::uint32_t word) {
  wire::RecordHeader header;
  header.time = {time};
  header.writer = 1;
  auto bytes = record_of(header, {word});
  Bytes body = bytes;
  wire::RecordView record;
  ASSERT_TRUE(wire::read_record(body, 1000, record));
  pending.put(record, {applied});
  std::fill(bytes.begin(), bytes.end(), std::byte{0xdd});
}

class PendingRecordsTest : public ::testing::Test {
 protected:
  bool has(std::uint64_t time) const { return pending_->find({time}) != nullptr; }
  std::unique_ptr<PendingRecords> pending_ = std::make_unique<PendingRecords>();
};

TEST_F(PendingRecordsTest, AreFoundByTheirTimeWithTheirOwnCopyOfTheWords) {
  put(*pending_, 7, 4, 55);
  ASSERT_TRUE(has(7));
  EXPECT_EQ(pending_->find({7})->word(0), 55u);
  EXPECT_FALSE(has(6));
  EXPECT_FALSE(has(7 + PendingRecords::kWindow));
}

TEST_F(PendingRecordsTest, AreKeptInsideTheWindowOnly) {
  constexpr auto kWindow = PendingRecords::kWindow;
  put(*pending_, 100, 100, 1);  // applied already
  EXPECT_FALSE(has(100));
  put(*pending_, 99, 100, 1);
  EXPECT_FALSE(has(99));
  put(*pending_, 101, 100, 1);
  EXPECT_TRUE(has(101));
  put(*pending_, 100 + kWindow, 100, 1);
  EXPECT_TRUE(has(100 + kWindow));
  put(*pending_, 101 + kWindow, 100, 2);  // the place of 101
  EXPECT_FALSE(has(101 + kWindow));
  EXPECT_TRUE(has(101));
}

TEST_F(PendingRecordsTest, KeepTheFirstOfTwoOfTheSameTime) {
  put(*pending_, 5, 4, 11);
  put(*pending_, 5, 4, 22);
  EXPECT_EQ(pending_->find({5})->word(0), 11u);
}

TEST_F(PendingRecordsTest, MakeRoomWhenTheWindowMoves) {
  constexpr auto kWindow = PendingRecords::kWindow;
  put(*pending_, 5, 4, 11);
  put(*pending_, 5 + kWindow, 5, 22);
  EXPECT_FALSE(has(5));
  EXPECT_EQ(pending_->find({5 + kWindow})->word(0), 22u);
}

TEST_F(PendingRecordsTest, AreGoneAfterClear) {
  for (std::uint64_t time = 1; time <= PendingRecords::kWindow; ++time) put(*pending_, time, 0, 1);
  pending_->clear();
  for (std::uint64_t time = 1; time <= PendingRecords::kWindow; ++time) EXPECT_FALSE(has(time));
}

}  // namespace
}  // namespace plurix::testing

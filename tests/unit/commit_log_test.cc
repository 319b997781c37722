// The bounded log of commit packets: two rings, one of records and one of their words. Whichever is
// full first, the oldest records make room and the rest stays whole.
#include <gtest/gtest.h>
#include <plurix/dsm/commit_log.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <optional>

#include "support/frame_builder.h"

namespace plurix::testing {
namespace {

/// A log with memory of its own.
class OwnLog {
 public:
  OwnLog(std::uint32_t records, std::uint32_t words) : block_(1 << 16) {
    Arena arena(block_);
    log.emplace(records, words, arena);
  }

  std::optional<CommitLog> log;

 private:
  std::vector<std::byte> block_;
};

wire::RecordHeader header_at(std::uint64_t time, std::size_t words) {
  wire::RecordHeader header;
  header.time = {time};
  header.writer = 1;
  header.words = static_cast<std::uint32_t>(words);
  return header;
}

/// Words that tell their record and place.
std::vector<std::uint32_t> words_of(std::uint64_t time, std::size_t count) {
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i < count; ++i) {
    words.push_back(static_cast<std::uint32_t>(time * 1000 + i));
  }
  return words;
}

void append(CommitLog& log, std::uint64_t time, std::size_t words) {
  const auto contents = words_of(time, words);
  log.append(header_at(time, words), std::as_bytes(std::span(contents)));
}

ByteVector copied(const CommitLog& log, std::uint64_t time) {
  ByteVector room(wire::kSmallBody);
  room.resize(log.copy({time}, room));
  return room;
}

ByteVector expected(std::uint64_t time, std::size_t words) {
  return record_of(header_at(time, words), words_of(time, words));
}

TEST(CommitLog, IsEmptyAtFirst) {
  OwnLog own(4, 16);
  EXPECT_FALSE(own.log->has({0}));
  EXPECT_FALSE(own.log->has({1}));
}

TEST(CommitLog, GivesBackWhatWasAppendedAsOnTheWire) {
  OwnLog own(4, 16);
  append(*own.log, 1, 3);
  append(*own.log, 2, 1);
  EXPECT_EQ(copied(*own.log, 1), expected(1, 3));
  EXPECT_EQ(copied(*own.log, 2), expected(2, 1));
  EXPECT_FALSE(own.log->has({3}));
}

TEST(CommitLog, ForgetsTheOldestRecordWhenTheRingOfRecordsIsFull) {
  OwnLog own(4, 64);
  for (std::uint64_t time = 1; time <= 5; ++time) append(*own.log, time, 1);
  EXPECT_FALSE(own.log->has({1}));
  EXPECT_EQ(own.log->oldest(), CommitTime{2});
  for (std::uint64_t time = 2; time <= 5; ++time)
    EXPECT_EQ(copied(*own.log, time), expected(time, 1));
}

TEST(CommitLog, ForgetsAsManyRecordsAsTheRingOfWordsNeeds) {
  OwnLog own(8, 16);
  append(*own.log, 1, 6);
  append(*own.log, 2, 6);
  append(*own.log, 3, 4);  // exactly full
  EXPECT_TRUE(own.log->has({1}));
  append(*own.log, 4, 7);  // needs the words of 1 and of 2
  EXPECT_FALSE(own.log->has({1}));
  EXPECT_FALSE(own.log->has({2}));
  EXPECT_EQ(copied(*own.log, 3), expected(3, 4));
  EXPECT_EQ(copied(*own.log, 4), expected(4, 7));
}

TEST(CommitLog, KeepsARecordAsLargeAsTheRingOfWords) {
  OwnLog own(8, 16);
  append(*own.log, 1, 5);
  append(*own.log, 2, 16);
  EXPECT_EQ(own.log->oldest(), CommitTime{2});
  EXPECT_EQ(copied(*own.log, 2), expected(2, 16));
}

TEST(CommitLog, WritesNothingWhereARecordDoesNotFit) {
  OwnLog own(4, 16);
  append(*own.log, 1, 2);
  ByteVector room(sizeof(wire::RecordHeader) + 2 * 4 - 1, std::byte{0xee});
  EXPECT_EQ(own.log->copy({1}, room), 0u);
  EXPECT_EQ(room, ByteVector(room.size(), std::byte{0xee}));
  room.push_back(std::byte{0});
  EXPECT_EQ(own.log->copy({1}, room), room.size());
}

TEST(CommitLog, StartsOverAtAnyTimeWithNothing) {
  OwnLog own(4, 16);
  append(*own.log, 1, 2);
  own.log->restart_at({70});
  EXPECT_FALSE(own.log->has({1}));
  EXPECT_FALSE(own.log->has({70}));
  EXPECT_EQ(own.log->oldest(), CommitTime{71});
  append(*own.log, 71, 9);
  append(*own.log, 72, 9);
  EXPECT_FALSE(own.log->has({71}));
  EXPECT_EQ(copied(*own.log, 72), expected(72, 9));
}

TEST(CommitLogDeathTest, StopsTheNodeRatherThanLeaveAGapInTime) {
  OwnLog own(4, 16);
  append(*own.log, 1, 1);
  EXPECT_DEATH(append(*own.log, 3, 1), "");
  EXPECT_DEATH(append(*own.log, 1, 1), "");
}

RC_GTEST_PROP(CommitLog, HoldsTheNewestRecordsThatFitBothRingsAndThoseUnchanged, ()) {
  constexpr std::uint32_t kRecords = 8;
  constexpr std::uint32_t kWords = 32;
  OwnLog own(kRecords, kWords);
  const auto first = *rc::gen::inRange<std::uint64_t>(0, 1000);
  own.log->restart_at({first});
  std::deque<std::size_t> held;  // words of the records from `oldest` on
  std::size_t held_words = 0;
  auto time = first;
  for (const auto words : *rc::gen::container<std::vector<std::size_t>>(
           rc::gen::inRange<std::size_t>(1, kWords + 1))) {
    append(*own.log, ++time, words);
    held.push_back(words);
    held_words += words;
    while (held.size() > kRecords || held_words > kWords) {
      held_words -= held.front();
      held.pop_front();
    }
    const auto oldest = time - held.size() + 1;
    RC_ASSERT(own.log->oldest() == CommitTime{oldest});
    RC_ASSERT(own.log->newest() == CommitTime{time});
    RC_ASSERT(!own.log->has({oldest - 1}));
    for (std::size_t i = 0; i < held.size(); ++i) {
      RC_ASSERT(copied(*own.log, oldest + i) == expected(oldest + i, held[i]));
    }
  }
}

}  // namespace
}  // namespace plurix::testing

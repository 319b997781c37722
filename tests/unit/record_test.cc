// A record in a file is there after its process was killed.
#include "workloads/record.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <filesystem>

namespace plurix::workloads {
namespace {

std::string key_name(std::uint64_t key) { return "k" + std::to_string(key); }

class RecordOfADead : public testing::Test {
 protected:
  ~RecordOfADead() override { std::filesystem::remove(file_); }

  /// Another process does `work(record)` and is killed.
  template <class Work>
  void die_after(Work work) {
    const auto child = ::fork();
    if (child == 0) {
      Record record({.attempts = 4, .operations = 16, .list_values = 16}, 7, file_);
      work(record);
      ::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  std::vector<history::Attempt> filed() const {
    std::vector<history::Attempt> all;
    const Record record(file_);
    record.for_each(key_name, [&](const auto& attempt) { all.push_back(attempt); });
    return all;
  }

  /// A transaction of node 3 that has written 42 to k5, begun in epoch 2 at commit time 10.
  static void write_once(Record& record) {
    auto& head = record.head();
    head.notes.clear();
    head.now = {.tx = 1, .applied = 10, .running = true};
    head.notes.begin_attempt(100, 2, 3);
    head.notes.read(4, 41);
    head.notes.write(5, 42);
  }

  const std::string file_ =
      std::filesystem::temp_directory_path() / ("record-test-" + std::to_string(::getpid()));
};

TEST_F(RecordOfADead, HasWhatWasFiled) {
  die_after([](Record& record) {
    record.add_operation({.key = 1, .number = 5, .kind = history::Operation::Kind::kWrite});
    record.add_operation({.key = 2, .first_value = 1, .values = 2, .is_list = true});
    const std::int64_t values[] = {7, 8, 9};
    record.add_list_values(values);
    record.add_attempt({.tx = 1,
                        .begin_ns = 1,
                        .end_ns = 2,
                        .commit_time = 3,
                        .first = 0,
                        .count = 2,
                        .attempt = 1,
                        .epoch = 1,
                        .node = 6,
                        .status = history::Status::kCommitted,
                        .read_only = false,
                        .strict = false,
                        .durable = true});
    record.add_rollback({2, 3, 4});
  });
  const auto all = filed();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].node, 6U);
  EXPECT_EQ(all[0].incarnation, 7U);
  EXPECT_TRUE(all[0].durable);
  ASSERT_EQ(all[0].ops.size(), 2U);
  EXPECT_EQ(all[0].ops[0].key, "k1");
  EXPECT_EQ(all[0].ops[1].value, history::Value::of_list({8, 9}));
  EXPECT_EQ(Record(file_).rollbacks().size(), 1U);
}

TEST_F(RecordOfADead, CallsAnAttemptAbortedWhoseCommitNeverLeft) {
  die_after(write_once);
  const auto last = Record(file_).in_doubt(key_name, 500);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->status, history::Status::kAborted);
  EXPECT_EQ(last->epoch, 2U);
  EXPECT_EQ(last->node, 3U);
  EXPECT_EQ(last->end_ns, 500);
}

TEST_F(RecordOfADead, CallsAnAttemptUnknownWhoseCommitWasSent) {
  die_after([](Record& record) {
    write_once(record);
    record.head().sent = {.time = 11, .epoch = 2};
  });
  const auto last = Record(file_).in_doubt(key_name, 500);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->status, history::Status::kUnknown);
  EXPECT_EQ(last->commit_time, 11U);
  ASSERT_EQ(last->ops.size(), 2U);
  EXPECT_EQ(last->ops[1].value, history::Value::of(42));
}

TEST_F(RecordOfADead, DoesNotTakeAnEarlierCommitForTheRunningOne) {
  die_after([](Record& record) {
    write_once(record);
    record.head().sent = {.time = 10, .epoch = 2};
  });
  EXPECT_EQ(Record(file_).in_doubt(key_name, 500)->status, history::Status::kAborted);
}

TEST_F(RecordOfADead, HasNobodyInDoubtBetweenTransactions) {
  die_after([](Record& record) {
    write_once(record);
    record.head().now.running = false;
  });
  EXPECT_FALSE(Record(file_).in_doubt(key_name, 500));
}

TEST(Record, HasRoomForWhatItWasMadeForAndNotMore) {
  const Record record({.attempts = 2, .operations = 3, .list_values = 4}, 1, {});
  EXPECT_TRUE(record.has_room_for(2, 3, 4));
  EXPECT_FALSE(record.has_room_for(3, 3, 4));
  EXPECT_FALSE(record.has_room_for(2, 4, 4));
  EXPECT_FALSE(record.has_room_for(2, 3, 5));
}

TEST(Record, TellsHowMuchOfTheScarcestRoomIsTaken) {
  Record record({.attempts = 100, .operations = 100, .list_values = 4}, 1, {});
  EXPECT_EQ(record.filled(), 0);
  const std::int64_t values[] = {7, 8, 9};
  record.add_list_values(values);
  EXPECT_EQ(record.filled(), 0.75);
}

}  // namespace
}  // namespace plurix::workloads

#include <plurix/history/commit_order.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string judged(const HistoryBuilder& h) { return violations_of(h.run(Check::kCommitOrder)); }

TEST(CommitOrder, AcceptsReadsOfTheStateBeforeEachCommit) {
  HistoryBuilder h;
  h.update(1, {r("x", 0), w("x", 5), r("x", 5)});
  h.update(4, {r("x", 5), w("x", 6), w("y", 7)});
  h.reader(4, {r("x", 6), r("y", 7)});
  h.reader(3, {r("x", 5), r("y", 0)});
  h.reader(0, {r("x", 0)});
  EXPECT_EQ(judged(h), "");
}

TEST(CommitOrder, JudgesByCommitTimeWhateverTheOrderOfLines) {
  HistoryBuilder h;
  h.update(2, {r("x", 5), w("x", 6)});
  h.update(1, {r("x", 0), w("x", 5)});
  EXPECT_EQ(judged(h), "");
}

TEST(CommitOrder, NamesTheMissingWriteAndTheOldOneThatWasRead) {
  HistoryBuilder h;
  h.update(1, {w("x", 5)});
  h.update(2, {w("x", 6)});
  h.update(3, {r("x", 5), w("x", 7)});
  EXPECT_EQ(
      judged(h),
      "commit_order: node 1 tx 3 attempt 1 (epoch 1, commit time 3) read x = 5, but its place in "
      "the order of commits shows 6, written by node 1 tx 2 attempt 1 (epoch 1, commit time 2), "
      "whose write is missing; 5 is the value written by node 1 tx 1 attempt 1 (epoch 1, commit "
      "time 1)\n");
  EXPECT_THAT(h.run(Check::kCommitOrder).violations[0].attempts, ::testing::ElementsAre(2, 1, 0));
}

TEST(CommitOrder, FindsAReaderWhoseSnapshotIsNotItsCommitTime) {
  HistoryBuilder h;
  h.update(1, {w("x", 5)});
  h.update(2, {w("x", 6)});
  h.reader(1, {r("x", 6)});
  EXPECT_THAT(judged(h), AllOf(HasSubstr("snapshot of 1) read x = 6"), HasSubstr("shows 5")));
}

TEST(CommitOrder, SaysThatAValueCameFromAnAbortedAttemptOrFromNobody) {
  HistoryBuilder h;
  h.aborted({w("x", 5)});
  h.update(1, {r("x", 5), w("y", 1)});
  h.update(2, {r("x", 9), w("z", 1)});
  EXPECT_THAT(
      judged(h),
      AllOf(
          HasSubstr("5 was written by node 1 tx 1 attempt 1 (aborted, epoch 1), which was aborted"),
          HasSubstr("9 was written by nobody")));
}

TEST(CommitOrder, SaysThatAValueWasOverwrittenByItsOwnTransaction) {
  HistoryBuilder h;
  h.update(1, {w("x", 5), w("x", 6)});
  h.reader(1, {r("x", 5)});
  EXPECT_THAT(judged(h), HasSubstr("which overwrote it before it committed"));
}

TEST(CommitOrder, FindsTwoUpdatesWithOneCommitTime) {
  HistoryBuilder h;
  h.update(1, {w("x", 5)});
  h.update(1, {w("y", 6)});
  EXPECT_THAT(judged(h), HasSubstr("have the same commit time"));
}

TEST(CommitOrder, FindsAReadThatMissesItsOwnWrite) {
  HistoryBuilder h;
  h.update(1, {w("x", 5), r("x", 0)});
  h.update(2, {app("l", 1), rl("l", {2})});
  EXPECT_THAT(judged(h), AllOf(HasSubstr("read x = 0 after its own write to that key"),
                               HasSubstr("read l = [2] after its own write to that key")));
}

TEST(CommitOrder, AcceptsListsWithTheReadersOwnAppends) {
  HistoryBuilder h;
  h.update(1, {app("l", 1), app("l", 2), rl("l", {1, 2})});
  h.update(2, {rl("l", {1, 2}), app("l", 3), rl("l", {1, 2, 3}), app("l", 4)});
  h.reader(2, {rl("l", {1, 2, 3, 4})});
  h.reader(0, {rl("l", {})});
  EXPECT_EQ(judged(h), "");
}

TEST(CommitOrder, NamesTheAppendThatAListLacksAndTheOneThatItHasTooMuch) {
  HistoryBuilder h;
  h.update(1, {app("l", 1)});
  h.update(2, {app("l", 2)});
  h.aborted({app("l", 3)});
  h.reader(2, {rl("l", {1})});
  h.reader(2, {rl("l", {1, 2, 3})});
  EXPECT_THAT(
      judged(h),
      AllOf(
          HasSubstr("shows [1, 2]; missing at index 1: 2 was appended by node 1 tx 2"),
          HasSubstr(
              "too much at index 2: 3 was appended by node 1 tx 3 attempt 1 (aborted, epoch 1)")));
}

TEST(CommitOrder, CountsAllButKeepsOnlySoMany) {
  HistoryBuilder h;
  for (int i = 0; i < 30; ++i) h.reader(0, {r("x", 7)});
  const Report report = h.run(Check::kCommitOrder);
  EXPECT_EQ(report.violation_count, 30u);
  EXPECT_EQ(report.violations.size(), 10u);
}

}  // namespace
}  // namespace plurix::history::testing

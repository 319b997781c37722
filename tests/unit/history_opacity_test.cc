#include <plurix/history/opacity.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string judged(const HistoryBuilder& h) { return violations_of(h.run(Check::kOpacity)); }

HistoryBuilder two_updates_of_two_keys() {
  HistoryBuilder h;
  h.update(1, {w("x", 1), w("y", 1)});
  h.update(2, {w("x", 2), w("y", 2)});
  return h;
}

TEST(Opacity, AcceptsAnAbortedAttemptThatSawAnyOneSnapshot) {
  HistoryBuilder h = two_updates_of_two_keys();
  h.aborted({r("x", 0), r("y", 0)});
  h.aborted({r("x", 1), r("y", 1), w("x", 9), r("x", 9)});
  h.add(Status::kCancelled, 0, {r("x", 2), r("y", 2)});
  EXPECT_EQ(judged(h), "");
}

TEST(Opacity, FindsATornSnapshotAndNamesBothWriters) {
  HistoryBuilder h = two_updates_of_two_keys();
  h.aborted({r("x", 1), r("y", 2)});
  EXPECT_EQ(judged(h),
            "opacity: node 1 tx 3 attempt 1 (aborted, epoch 1) read values that no one snapshot "
            "contains: x "
            "= 1 and y = 2; 1 is the value written by node 1 tx 1 attempt 1 (epoch 1, commit time "
            "1); 2 is "
            "the value written by node 1 tx 2 attempt 1 (epoch 1, commit time 2)\n");
}

TEST(Opacity, FindsTheTornPairAmongManyReads) {
  HistoryBuilder h = two_updates_of_two_keys();
  h.update(3, {w("z", 3)});
  h.aborted({r("z", 0), r("x", 2), r("u", 0), r("y", 1)});
  EXPECT_THAT(judged(h), HasSubstr("contains: x = 2 and y = 1;"));
}

TEST(Opacity, FindsTwoReadsOfOneKeyThatDiffer) {
  HistoryBuilder h = two_updates_of_two_keys();
  h.aborted({r("x", 1), r("x", 2)});
  EXPECT_THAT(judged(h), HasSubstr("x = 1 and x = 2"));
}

TEST(Opacity, FindsAValueThatWasNeverCommitted) {
  HistoryBuilder h;
  h.aborted({w("x", 7)});
  h.aborted({r("x", 7)});
  EXPECT_THAT(judged(h), AllOf(HasSubstr("which no snapshot that it could know contains"),
                               HasSubstr("which was aborted")));
}

TEST(Opacity, FindsAReadOfTheFuture) {
  HistoryBuilder h;
  during(h.update(1, {w("x", 1)}), 300, 400);
  during(h.aborted({r("x", 1)}), 100, 299);
  EXPECT_THAT(judged(h), HasSubstr("which no snapshot that it could know contains"));
  during(h.history.attempts[1], 100, 300);
  EXPECT_EQ(judged(h), "");
}

TEST(Opacity, TakesTheRightOneOfSeveralIntervalsWithTheSameValue) {
  HistoryBuilder h;
  for (std::uint64_t time = 1; time <= 9; time += 3) {
    h.update(time, {w("x", 1)});
    h.update(time + 1, {w("x", 2)});
    h.update(time + 2, {w("y", static_cast<std::int64_t>(time))});
  }
  h.aborted({r("x", 1), r("y", 1)});
  h.aborted({r("x", 2), r("y", 4)});
  EXPECT_EQ(judged(h), "");
  h.aborted({r("x", 0), r("y", 1)});
  EXPECT_THAT(judged(h), HasSubstr("x = 0 and y = 1"));
}

TEST(Opacity, FindsATornList) {
  HistoryBuilder h;
  h.update(1, {app("l", 1), app("m", 1)});
  h.update(2, {app("l", 2), app("m", 2)});
  h.aborted({rl("l", {1}), app("l", 9), rl("l", {1, 9}), rl("m", {1})});
  EXPECT_EQ(judged(h), "");
  h.aborted({rl("l", {1}), rl("m", {1, 2})});
  EXPECT_THAT(judged(h), HasSubstr("l = [1] and m = [1, 2]"));
}

TEST(Opacity, DoesNotShowANewEpochWhatWasUndone) {
  HistoryBuilder h;
  h.update(1, {w("x", 1)});
  h.update(2, {w("x", 2)});
  h.rollback(2, 1);
  h.aborted({r("x", 2)});
  EXPECT_EQ(judged(h), "");
  in_epoch(h.aborted({r("x", 1)}), 2);
  EXPECT_EQ(judged(h), "");
  in_epoch(h.aborted({r("x", 2)}), 2);
  EXPECT_THAT(judged(h), HasSubstr("undone by the rollback to commit time 1 of epoch 2"));
}

}  // namespace
}  // namespace plurix::history::testing

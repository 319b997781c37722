#include <plurix/history/real_time.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::HasSubstr;

std::string judged(const HistoryBuilder& h) { return violations_of(h.run(Check::kRealTime)); }

TEST(RealTime, AcceptsAnyOrderOfOverlappingUpdates) {
  HistoryBuilder h;
  during(h.update(2, {w("x", 1)}), 100, 300);
  during(h.update(1, {w("y", 1)}), 300, 400);
  EXPECT_EQ(judged(h), "");
}

TEST(RealTime, FindsAnUpdateThatEndedFirstAndCommittedLater) {
  HistoryBuilder h;
  during(h.update(2, {w("x", 1)}), 100, 200);
  during(h.update(1, {w("y", 1)}), 1'000'200, 1'000'300);
  EXPECT_EQ(judged(h),
            "real_time: node 1 tx 1 attempt 1 (epoch 1, commit time 2) had ended 1.000000 ms "
            "before node 1 "
            "tx 2 attempt 1 (epoch 1, commit time 1) began, and yet comes after it in the order of "
            "commits\n");
}

TEST(RealTime, FindsASnapshotOfTheFuture) {
  HistoryBuilder h;
  during(h.update(1, {w("x", 1)}), 300, 400);
  during(h.reader(1, {r("x", 1)}), 100, 200);
  EXPECT_THAT(judged(h), HasSubstr("a snapshot of the future"));
}

TEST(RealTime, ComparesAnUndoneCommitOnlyWithItsOwnPast) {
  HistoryBuilder h;
  during(h.update(2, {w("x", 1)}), 500, 600);
  h.rollback(2, 1);
  during(h.update(2, {w("x", 2)}), 100, 200);
  in_epoch(h.history.attempts[1], 2);
  EXPECT_EQ(judged(h), "") << "the late commit of the old epoch is undone";
  h.history.attempts[0].commit_time = 1;
  EXPECT_THAT(judged(h), HasSubstr("comes after it in the order of commits"));
}

TEST(RealTime, LetsAnUnknownOutcomeTakeEffectAfterItsEnd) {
  HistoryBuilder h;
  during(h.unknown(2, {w("x", 1)}), 100, 200);
  during(h.update(1, {w("y", 1)}), 300, 400);
  during(h.reader(2, {r("x", 1), r("y", 1)}), 500, 600);
  EXPECT_EQ(judged(h), "");
}

}  // namespace
}  // namespace plurix::history::testing

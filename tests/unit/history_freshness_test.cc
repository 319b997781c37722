#include <plurix/history/freshness.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::HasSubstr;

std::string judged(const HistoryBuilder& h) { return violations_of(h.run(Check::kFreshness)); }

TEST(Freshness, LetsAnOrdinaryReaderBeStaleButNotAStrictOne) {
  HistoryBuilder h;
  during(h.update(1, {w("x", 1)}), 100, 200);
  during(h.reader(0, {r("x", 0)}), 300, 400);
  EXPECT_EQ(judged(h), "");
  h.history.attempts[1].strict = true;
  EXPECT_THAT(judged(h), HasSubstr("freshness: node 1 tx 1 attempt 1 (epoch 1, commit time 1) had "
                                   "ended 0.000100 ms before node 1 tx 2 attempt 1 (epoch 1, "
                                   "snapshot of 0) began, which asked for strict freshness"));
  during(h.history.attempts[1], 200, 400);
  EXPECT_EQ(judged(h), "") << "the update had not ended before the reader began";
}

TEST(Freshness, HoldsAStrictReaderToUpdatesOfALaterEpoch) {
  HistoryBuilder h;
  h.rollback(2, 0);
  during(h.update(1, {w("x", 1)}), 100, 200);
  in_epoch(h.history.attempts[0], 2);
  during(h.reader(0, {r("x", 0)}), 300, 400);
  h.history.attempts[1].strict = true;
  EXPECT_THAT(judged(h), HasSubstr("asked for strict freshness"));
}

TEST(Freshness, DoesNotMissWhatARollbackUndid) {
  HistoryBuilder h;
  during(h.update(1, {w("x", 1)}), 100, 200);
  h.rollback(2, 0);
  during(h.reader(0, {r("x", 0)}), 300, 400);
  h.history.attempts[1].strict = true;
  in_epoch(h.history.attempts[1], 2);
  EXPECT_EQ(judged(h), "");
}

TEST(Freshness, LetsAnUnknownOutcomeTakeEffectAfterItsEnd) {
  HistoryBuilder h;
  during(h.unknown(1, {w("x", 1)}), 100, 200);
  during(h.reader(0, {r("x", 0)}), 300, 400);
  h.history.attempts[1].strict = true;
  EXPECT_EQ(judged(h), "");
}

}  // namespace
}  // namespace plurix::history::testing

#include <plurix/history/outcome.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string judged(const HistoryBuilder& h) { return violations_of(check_all(h.history)); }

TEST(Outcome, AnUnknownUpdateMayHaveTakenEffectOrNot) {
  HistoryBuilder h;
  h.update(1, {r("x", 0), w("x", 1)});
  h.unknown(2, {r("x", 1), w("x", 2), w("y", 2)});
  HistoryBuilder without = h;
  without.reader(2, {r("x", 1), r("y", 0)});
  EXPECT_EQ(judged(without), "");
  h.reader(2, {r("x", 2), r("y", 2)});
  EXPECT_EQ(judged(h), "");
}

TEST(Outcome, AnUnknownUpdateTakesEffectAsAWhole) {
  HistoryBuilder h;
  h.unknown(1, {w("x", 2), w("y", 2)});
  h.reader(1, {r("x", 2), r("y", 0)});
  EXPECT_THAT(judged(h), HasSubstr("read y = 0, but its place in the order of commits shows 2"));
}

TEST(Outcome, AnUnseenUnknownUpdateLeavesItsCommitTimeToAnother) {
  HistoryBuilder h;
  h.unknown(1, {w("x", 2)});
  h.update(1, {r("x", 0), w("x", 1)});
  EXPECT_EQ(judged(h), "");
}

TEST(Outcome, ASeenUnknownUpdateMustHaveACommitTimeOfItsOwn) {
  HistoryBuilder h;
  h.unknown(1, {w("x", 2)});
  h.update(1, {w("y", 1)});
  h.reader(1, {r("x", 2)});
  EXPECT_THAT(judged(h), HasSubstr("have the same commit time"));
}

TEST(Outcome, EachReadMayFindAValueThatManyWroteOrNot) {
  HistoryBuilder h;
  h.update(1, {w("x", 1)});
  h.unknown(2, {w("x", 2)});
  h.reader(2, {r("x", 1)});
  h.reader(2, {r("x", 2)});
  h.update(3, {r("x", 2), w("x", 2)});
  EXPECT_EQ(judged(h), "");
  h.reader(2, {r("x", 3)});
  EXPECT_THAT(judged(h), HasSubstr("3 was written by nobody"));
}

TEST(Outcome, AnUnknownAppendCountsIfAnyListShowsIt) {
  HistoryBuilder h;
  h.update(1, {app("l", 1)});
  h.unknown(2, {app("l", 2)});
  h.unknown(3, {app("l", 3)});
  h.update(4, {rl("l", {1, 3}), app("l", 4)});
  h.aborted({rl("l", {1, 3, 4})});
  EXPECT_EQ(judged(h), "");
}

TEST(Outcome, WithoutACommitTimeTheGraphAloneJudges) {
  HistoryBuilder h;
  during(h.unknown(0, {r("x", 0), w("x", 1), w("y", 1)}), 100, 200);
  during(h.reader(5, {r("x", 1), r("y", 1)}), 300, 400);
  const Report report = check_all(h.history);
  EXPECT_TRUE(report.ok()) << to_words(report);
  ASSERT_THAT(report.not_applicable, SizeIs(1));
  EXPECT_THAT(report.not_applicable[0].why,
              HasSubstr("2 keys were written by updates of unknown outcome"));
  during(h.reader(5, {r("x", 1), r("y", 0)}), 300, 400);
  EXPECT_THAT(judged(h), HasSubstr("dependency_cycle"));
}

TEST(Outcome, UnseenWithoutACommitTimeItChangesNothing) {
  HistoryBuilder h;
  h.unknown(0, {w("x", 1)});
  h.reader(0, {r("x", 0)});
  const Report report = check_all(h.history);
  EXPECT_TRUE(report.ok());
  EXPECT_THAT(report.not_applicable, IsEmpty());
}

TEST(Outcome, ALaterLineOfTheSameAttemptReplacesAnUnknownOne) {
  HistoryBuilder h;
  h.unknown(1, {w("x", 1)});
  h.update(1, {w("x", 1)});
  h.history.attempts[1].tx = 1;
  h.reader(1, {r("x", 1)});
  EXPECT_EQ(judged(h), "");
  EXPECT_EQ(check_all(h.history).counts.attempts, 2u);
  h.history.attempts[1].status = Status::kAborted;
  EXPECT_THAT(judged(h), HasSubstr("which was aborted"));
}

}  // namespace
}  // namespace plurix::history::testing

#include <plurix/history/rollback.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string judged(const HistoryBuilder& h) { return violations_of(check_all(h.history)); }

// x is 1, 2, 3 at commit times 1, 2, 3; epoch 2 starts from commit time 1 and makes it 22 at commit
// time 2.
HistoryBuilder rolled_back_to_one() {
  HistoryBuilder h;
  h.update(1, {r("x", 0), w("x", 1), w("y", 1)});
  h.update(2, {r("x", 1), w("x", 2)});
  h.update(3, {r("x", 2), w("x", 3)});
  h.rollback(2, 1);
  in_epoch(h.update(2, {r("x", 1), w("x", 22)}), 2);
  return h;
}

TEST(Rollback, UndoesTheCommitsOfOlderEpochsAfterItsTime) {
  HistoryBuilder h = rolled_back_to_one();
  in_epoch(h.reader(2, {r("x", 22), r("y", 1)}), 2);
  in_epoch(h.reader(1, {r("x", 1)}), 2);
  EXPECT_EQ(judged(h), "");
  EXPECT_EQ(check_all(h.history).counts.undone, 2u);
}

TEST(Rollback, LetsTheOldEpochKeepWhatItSaw) {
  HistoryBuilder h = rolled_back_to_one();
  h.reader(3, {r("x", 3)});
  h.aborted({r("x", 2)});
  EXPECT_EQ(judged(h), "");
}

TEST(Rollback, FindsAnUndoneValueInTheNewEpoch) {
  HistoryBuilder h = rolled_back_to_one();
  in_epoch(h.reader(2, {r("x", 3)}), 2);
  EXPECT_THAT(judged(h),
              HasSubstr("3 is the value written by node 1 tx 3 attempt 1 (epoch 1, commit time "
                        "3) and undone by the rollback to commit time 1 of epoch 2"));
}

TEST(Rollback, MayUndoAnEarlierRollbacksEpochToo) {
  HistoryBuilder h = rolled_back_to_one();
  h.rollback(3, 0);
  in_epoch(h.update(1, {r("x", 0), r("y", 0), w("x", 33)}), 3);
  in_epoch(h.reader(1, {r("x", 33)}), 3);
  EXPECT_EQ(judged(h), "");
  in_epoch(h.reader(1, {r("y", 1)}), 3);
  EXPECT_THAT(judged(h), HasSubstr("undone by the rollback to commit time 0 of epoch 3"));
}

TEST(Rollback, MayLoseNothing) {
  HistoryBuilder h;
  h.update(1, {w("x", 1)});
  h.update(2, {w("x", 2)});
  h.rollback(2, 2);
  in_epoch(h.update(3, {r("x", 2), w("x", 3)}), 2);
  in_epoch(h.reader(1, {r("x", 1)}), 2);
  EXPECT_EQ(judged(h), "");
  EXPECT_EQ(check_all(h.history).counts.undone, 0u);
}

TEST(Rollback, ANewEpochWithoutOneLosesNothing) {
  HistoryBuilder h;
  h.update(5, {w("x", 1)});
  in_epoch(h.update(6, {r("x", 1), w("x", 2)}), 2);
  in_epoch(h.reader(5, {r("x", 1)}), 2);
  EXPECT_EQ(judged(h), "");
  in_epoch(h.update(4, {w("y", 1)}), 3);
  EXPECT_THAT(judged(h), AllOf(HasSubstr("committed at a time that was already past"),
                               HasSubstr("epoch 3 started from commit time 6")));
}

TEST(Rollback, TruncatesListsAndLetsThemGrowAgain) {
  HistoryBuilder h;
  h.update(1, {app("l", 1)});
  h.update(2, {app("l", 2)});
  h.rollback(2, 1);
  in_epoch(h.update(2, {rl("l", {1}), app("l", 3)}), 2);
  in_epoch(h.reader(2, {rl("l", {1, 3})}), 2);
  EXPECT_EQ(judged(h), "");
  in_epoch(h.reader(2, {rl("l", {1, 2, 3})}), 2);
  EXPECT_THAT(judged(h), AllOf(HasSubstr("shows [1, 3]; missing at index 1: 3 was appended by"),
                               HasSubstr("too much at index 1: 2 was appended by")));
}

TEST(Rollback, KeepsAnUnseenUnknownOutcomePossible) {
  HistoryBuilder h;
  h.update(1, {w("x", 1)});
  h.unknown(2, {w("x", 2)});
  h.update(3, {w("x", 2), w("y", 3)});
  h.rollback(2, 2);
  in_epoch(h.reader(2, {r("x", 1)}), 2);
  in_epoch(h.reader(2, {r("x", 2)}), 2);
  EXPECT_EQ(judged(h), "");
}

TEST(Rollback, NeverUndoesADurableCommit) {
  HistoryBuilder h = rolled_back_to_one();
  h.history.attempts[0].durable = true;
  EXPECT_EQ(judged(h), "");
  h.history.attempts[2].durable = true;
  EXPECT_EQ(judged(h),
            "durable_undone: node 1 tx 3 attempt 1 (epoch 1, commit time 3) was acknowledged as "
            "durable, and "
            "yet was undone: epoch 2 started from commit time 1\n");
}

TEST(Rollback, StartsAnEpochAtOneTimeOnly) {
  HistoryBuilder h = rolled_back_to_one();
  h.rollback(2, 1);
  EXPECT_EQ(judged(h), "") << "every node may write the line";
  h.rollback(2, 2);
  EXPECT_THAT(judged(h), HasSubstr("epoch 2 started twice: from commit time 1 and from 2"));
}

TEST(Rollback, CommitsOfANewEpochComeAfterItsStart) {
  HistoryBuilder h = rolled_back_to_one();
  in_epoch(h.update(1, {w("z", 1)}), 2);
  EXPECT_THAT(judged(h), HasSubstr("committed at a time that was already past"));
}

}  // namespace
}  // namespace plurix::history::testing

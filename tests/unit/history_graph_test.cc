#include <plurix/history/graph.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string judged(const HistoryBuilder& h) { return violations_of(h.run(Check::kGraph)); }

TEST(Graph, DoesNotTrustCommitTimes) {
  HistoryBuilder h;
  during(h.update(9, {r("x", 0), w("x", 1)}), 100, 900);
  during(h.update(3, {r("x", 1), w("x", 2)}), 100, 900);
  EXPECT_EQ(judged(h), "") << "a serial order exists, though not the stated one";
}

TEST(Graph, FindsWriteSkewAsTheShortestCycle) {
  HistoryBuilder h;
  during(h.update(1, {r("x", 0), r("y", 0), w("x", 1)}), 100, 900);
  during(h.update(2, {r("x", 0), r("y", 0), w("y", 2)}), 100, 900);
  EXPECT_EQ(judged(h),
            "dependency_cycle: no serial order explains these 2 transactions: node 1 tx 1 attempt "
            "1 (epoch 1, "
            "commit time 1) read y as it was before node 1 tx 2 attempt 1 (epoch 1, commit time 2) "
            "changed it; "
            "node 1 tx 2 attempt 1 (epoch 1, commit time 2) read x as it was before node 1 tx 1 "
            "attempt 1 "
            "(epoch 1, commit time 1) changed it\n");
}

TEST(Graph, FindsAReaderThatSawOneWriteOfTwo) {
  HistoryBuilder h;
  during(h.update(1, {r("x", 0), r("y", 0), w("x", 1), w("y", 1)}), 100, 900);
  during(h.reader(1, {r("x", 1), r("y", 0)}), 100, 900);
  EXPECT_THAT(judged(h), AllOf(StartsWith("dependency_cycle"), HasSubstr("read x as node 1 tx 1"),
                               HasSubstr("read y as it was before node 1 tx 1")));
}

TEST(Graph, FindsALostUpdate) {
  HistoryBuilder h;
  during(h.update(1, {r("x", 0), w("x", 1)}), 100, 900);
  during(h.update(2, {r("x", 0), w("x", 2)}), 100, 900);
  EXPECT_THAT(judged(h),
              AllOf(StartsWith("lost_update"), HasSubstr("both read x = 0 and overwrote it")));
}

TEST(Graph, FindsAStaleReadAcrossRealTime) {
  HistoryBuilder h;
  during(h.update(1, {r("x", 0), w("x", 1)}), 100, 200);
  during(h.update(2, {r("x", 0), w("y", 2)}), 300, 400);
  EXPECT_THAT(judged(h), AllOf(StartsWith("dependency_cycle"), HasSubstr("had ended before")));
  during(h.history.attempts[1], 200, 400);
  EXPECT_EQ(judged(h), "");
}

TEST(Graph, FindsAStaleReadPastABlindWrite) {
  HistoryBuilder h;
  during(h.update(1, {w("x", 1)}), 100, 200);
  during(h.update(2, {w("x", 2)}), 300, 400);
  during(h.update(3, {r("x", 1), w("y", 3)}), 500, 600);
  EXPECT_THAT(judged(h), HasSubstr("which began later than that version, changed it"));
}

TEST(Graph, LetsOrdinaryReadersBeStaleButNotStrictOnes) {
  HistoryBuilder h;
  during(h.update(1, {r("x", 0), w("x", 1)}), 100, 200);
  during(h.reader(0, {r("x", 0)}), 300, 400);
  EXPECT_EQ(judged(h), "");
  h.history.attempts[1].strict = true;
  EXPECT_THAT(judged(h), StartsWith("dependency_cycle"));
}

TEST(Graph, FindsAReadOfTheFuture) {
  HistoryBuilder h;
  during(h.update(1, {w("x", 1)}), 300, 400);
  during(h.reader(1, {r("x", 1)}), 100, 200);
  EXPECT_THAT(judged(h), HasSubstr("and had ended before that began"));
}

TEST(Graph, FindsAbortedIntermediateAndUnwrittenReads) {
  HistoryBuilder h;
  h.aborted({w("x", 7)});
  h.update(1, {w("y", 1), w("y", 2)});
  h.reader(1, {r("x", 7)});
  h.reader(1, {r("y", 1)});
  h.reader(1, {r("z", 3)});
  EXPECT_THAT(judged(h), AllOf(HasSubstr("aborted_read: node 1 tx 3"),
                               HasSubstr("intermediate_read: node 1 tx 4"),
                               HasSubstr("unwritten_value: node 1 tx 5")));
}

TEST(Graph, TakesAListsOrderFromItsLongestRead) {
  HistoryBuilder h;
  during(h.update(5, {app("l", 1), app("l", 2)}), 100, 900);
  during(h.update(1, {rl("l", {1, 2}), app("l", 3)}), 100, 900);
  during(h.reader(9, {rl("l", {1, 2, 3})}), 100, 900);
  during(h.update(2, {rl("l", {1, 2, 3}), app("l", 4)}), 100, 900);
  EXPECT_EQ(judged(h), "");
}

TEST(Graph, FindsListsInIncompatibleOrders) {
  HistoryBuilder h;
  h.update(1, {app("l", 1)});
  h.update(2, {app("l", 2)});
  h.reader(2, {rl("l", {1, 2})});
  h.reader(2, {rl("l", {2})});
  EXPECT_THAT(judged(h), AllOf(StartsWith("incompatible_order"), HasSubstr("read l = [2]"),
                               HasSubstr("neither list is the beginning of the other")));
}

TEST(Graph, FindsAnElementThatStandsTwiceInAList) {
  HistoryBuilder h;
  h.update(1, {app("l", 1)});
  h.reader(1, {rl("l", {1, 1})});
  EXPECT_THAT(judged(h), AllOf(StartsWith("incompatible_order"), HasSubstr("with 1 in it twice")));
}

TEST(Graph, FindsALostAppend) {
  HistoryBuilder h;
  during(h.update(1, {app("l", 1)}), 100, 200);
  during(h.update(2, {app("l", 2)}), 300, 400);
  during(h.update(3, {rl("l", {2}), app("m", 3)}), 500, 600);
  EXPECT_THAT(judged(h), StartsWith("lost_append"));
}

TEST(Graph, FindsHalfOfATransactionsAppends) {
  HistoryBuilder h;
  h.update(1, {app("l", 1), app("l", 2)});
  h.reader(1, {rl("l", {1})});
  EXPECT_THAT(judged(h), AllOf(HasSubstr("intermediate_read"), HasSubstr("only a part")));
}

TEST(Graph, FindsWriteSkewOfLists) {
  HistoryBuilder h;
  during(h.update(1, {rl("l", {}), app("m", 1)}), 100, 900);
  during(h.update(2, {rl("m", {}), app("l", 2)}), 100, 900);
  EXPECT_THAT(judged(h), HasSubstr("without the append of"));
}

TEST(Graph, SaysWhichKeysItCannotJudge) {
  HistoryBuilder h;
  h.update(1, {w("x", 5)});
  h.update(2, {w("x", 5)});
  h.reader(2, {r("x", 5)});
  const Report report = h.run(Check::kGraph);
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(report.not_applicable.size(), 1u);
  EXPECT_EQ(report.not_applicable[0].why,
            "1 of 1 keys (for example x) were written the same number twice, or 0, so that a value "
            "does not name its writer");
}

TEST(Graph, LeavesOutWhatARollbackUndid) {
  HistoryBuilder h;
  h.update(1, {r("x", 0), w("x", 1)});
  h.update(2, {r("x", 1), w("x", 2)});
  h.rollback(2, 1);
  in_epoch(h.update(2, {r("x", 1), w("x", 3)}), 2);
  EXPECT_EQ(judged(h), "");
  in_epoch(h.reader(2, {r("x", 2)}), 2);
  EXPECT_THAT(judged(h),
              AllOf(StartsWith("aborted_read"), HasSubstr("undone by the rollback of epoch 2")));
}

TEST(Graph, FindsTheShortestOfManyCycles) {
  HistoryBuilder h;
  constexpr int kRing = 50;
  for (int i = 0; i < kRing; ++i) {
    const auto key = [](int n) { return std::string("k").append(std::to_string(n % kRing)); };
    during(h.update(static_cast<std::uint64_t>(i) + 1,
                    {r(key(i), 0), r(key(i + 1), 0), w(key(i), i + 1)}),
           100, 900);
  }
  EXPECT_THAT(judged(h), HasSubstr("these 50 transactions"));
  h.history.attempts[20].ops.push_back(r("k19", 0));
  EXPECT_THAT(judged(h), HasSubstr("these 2 transactions"));
}

}  // namespace
}  // namespace plurix::history::testing

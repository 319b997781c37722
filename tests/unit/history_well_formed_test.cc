#include <plurix/history/well_formed.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

using ::testing::HasSubstr;

std::string judged(const HistoryBuilder& h) { return violations_of(h.run(Check::kWellFormed)); }

TEST(WellFormed, AcceptsRestartsOfATransaction) {
  HistoryBuilder h;
  h.aborted({w("x", 1)});
  h.update(1, {w("x", 1), app("l", 1)});
  h.history.attempts[1].tx = 1;
  h.history.attempts[1].attempt = 2;
  h.reader(0, {r("x", 0), r("l", 0)});
  EXPECT_THAT(judged(h), ::testing::Eq("")) << "0 is also the empty list";
}

TEST(WellFormed, NamesEachFault) {
  HistoryBuilder h;
  during(h.aborted({}), 200, 100);
  h.reader(1, {w("x", 1)});
  h.update(2, {w("x", 1)}).strict = true;
  h.aborted({}).durable = true;
  h.update(0, {w("x", 1)});
  EXPECT_EQ(
      judged(h),
      "well_formed: node 1 tx 1 attempt 1 (aborted, epoch 1) ended before it began\n"
      "well_formed: node 1 tx 2 attempt 1 (epoch 1, snapshot of 1) is read-only and wrote\n"
      "well_formed: node 1 tx 3 attempt 1 (epoch 1, commit time 2) is marked strict and wrote; "
      "strict "
      "is a promise to readers\n"
      "well_formed: node 1 tx 4 attempt 1 (aborted, epoch 1) is marked durable and did not commit\n"
      "well_formed: node 1 tx 5 attempt 1 (epoch 1, commit time 0) committed writes at commit time "
      "0\n");
}

TEST(WellFormed, FindsAnAttemptThatAppearsTwice) {
  HistoryBuilder h;
  h.aborted({});
  h.aborted({}).tx = 1;
  EXPECT_THAT(judged(h), HasSubstr("appears twice"));
}

TEST(WellFormed, FindsATransactionThatRanAgainAfterItsCommit) {
  HistoryBuilder h;
  h.update(1, {w("x", 1)});
  Attempt& again = h.update(2, {w("x", 1)});
  again.tx = 1;
  again.attempt = 2;
  EXPECT_THAT(judged(h), HasSubstr("had committed already, and its transaction ran again"));
}

TEST(WellFormed, FindsAKeyThatIsBothRegisterAndList) {
  HistoryBuilder h;
  h.update(1, {w("x", 1)});
  h.update(2, {app("x", 2)});
  EXPECT_THAT(judged(h), HasSubstr("key x is used both as a register and as a list"));
  EXPECT_TRUE(check_all(h.history, {{Check::kCommitOrder, Check::kGraph}, 10}).ok())
      << "no other check judges such a key";
}

}  // namespace
}  // namespace plurix::history::testing

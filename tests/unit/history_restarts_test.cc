#include <plurix/history/restarts.h>

#include <gmock/gmock.h>

#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

// One transaction that was taken back `times` times before it committed.
HistoryBuilder restarted(std::uint32_t times) {
  HistoryBuilder h;
  for (std::uint32_t i = 1; i <= times; ++i) {
    auto& attempt = h.aborted({r("x", 0)});
    attempt.tx = 7;
    attempt.attempt = i;
  }
  auto& last = h.update(1, {w("x", 1)});
  last.tx = 7;
  last.attempt = times + 1;
  return h;
}

std::string judged(const HistoryBuilder& h, std::uint32_t promised) {
  CheckOptions options;
  options.checks.clear();
  options.promised_restarts = promised;
  return violations_of(check_all(h.history, options));
}

TEST(Restarts, AsManyAsPromisedAreFine) { EXPECT_EQ(judged(restarted(3), 3), ""); }

TEST(Restarts, OneMoreThanPromisedIsSeen) {
  EXPECT_EQ(judged(restarted(4), 3),
            "restarts: node 1 tx 7 attempt 4 (aborted, epoch 1) is one of 4 attempts of its "
            "transaction that were taken back; its strategy promises 3 at most\n");
}

TEST(Restarts, OfAnotherNodeOrLifeAreAnothers) {
  auto h = restarted(4);
  h.history.attempts[1].node = 2;
  h.history.attempts[2].incarnation = 2;
  EXPECT_EQ(judged(h, 2), "");
  EXPECT_EQ(most_restarts(h.history), 2u);
}

TEST(Restarts, WhatABodyGivesUpItselfIsNone) {
  auto h = restarted(2);
  h.history.attempts[0].status = Status::kCancelled;
  EXPECT_EQ(most_restarts(h.history), 1u);
}

TEST(Restarts, AreCheckedOnlyWhenSomethingWasPromised) {
  EXPECT_EQ(violations_of(check_all(restarted(50).history)), "");
}

}  // namespace
}  // namespace plurix::history::testing

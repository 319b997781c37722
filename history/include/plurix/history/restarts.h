// Invariant `restarts` (T4): no transaction is restarted more often than its commit strategy
// promises.
//
// An attempt that the system took back counts as a restart; one that its own body gave up does not.
// The promise is the strategy's, so the history alone does not know it: it is part of the question.
#pragma once

#include <plurix/history/attempt.h>
#include <plurix/history/violation.h>

namespace plurix::history {

// The most restarts of one transaction.
std::uint32_t most_restarts(const History& history);

Findings check_restarts(const History& history, std::uint32_t promised, std::size_t limit);

}  // namespace plurix::history

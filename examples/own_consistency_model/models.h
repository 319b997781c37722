// Two consistency models as predicates over histories: one that the system keeps, one that is more
// than it promises.
#pragma once

#include <plurix/history/check_all.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

/// Monotonic reads: on one node, no transaction sees an older state than one that ended before it
/// began. The first attempt that does, in words.
inline std::optional<std::string> breaks_monotonic_reads(const plurix::history::History& history) {
  using namespace plurix::history;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> newest;  // by node and life
  for (const auto& attempt : history.attempts) {                            // of each node in order
    if (attempt.status != Status::kCommitted) continue;
    auto& seen = newest[{attempt.node, attempt.incarnation}];
    if (attempt.commit_time < seen) {
      return name_of(attempt) + " sees less than its node saw before: " + std::to_string(seen);
    }
    seen = attempt.commit_time;
  }
  return std::nullopt;
}

/// Every read-only transaction sees all that ended before it began, asked for or not.
inline std::optional<std::string> breaks_strictness_for_all(plurix::history::History history) {
  using namespace plurix::history;
  for (auto& attempt : history.attempts) {
    attempt.strict = attempt.read_only && attempt.status == Status::kCommitted;
  }
  const auto report = check_all(history, {.checks = {Check::kFreshness}});
  if (report.ok()) return std::nullopt;
  return report.violations.front().words;
}

// Every check over one history, and the report of what they found.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <plurix/history/attempt.h>
#include <plurix/history/violation.h>

namespace plurix::history {

enum class Check {
  kWellFormed,
  kCommitOrder,
  kRealTime,
  kFreshness,
  kOpacity,
  kGraph,
  kRollback,
  kRestarts,  // needs CheckOptions::promised_restarts
};

// Everything that the history alone can be asked.
inline constexpr std::array kAllChecks{Check::kWellFormed, Check::kCommitOrder, Check::kRealTime,
                                       Check::kFreshness,  Check::kOpacity,     Check::kGraph,
                                       Check::kRollback};

// "well_formed", "commit_order", "real_time", "freshness", "opacity", "graph", "rollback",
// "restarts"; only those of kAllChecks are found by name.
std::string_view name_of(Check check);
std::optional<Check> check_named(std::string_view name);

struct CheckOptions {
  std::vector<Check> checks{kAllChecks.begin(), kAllChecks.end()};
  std::size_t max_violations = 10;                 // kept in full by each check; all are counted
  std::optional<std::uint32_t> promised_restarts;  // if set, `restarts` is checked too
};

struct Counts {
  std::size_t attempts = 0;
  std::size_t committed = 0;
  std::size_t aborted = 0;
  std::size_t cancelled = 0;
  std::size_t unknown = 0;
  std::size_t read_only = 0;  // committed read-only transactions
  std::size_t undone = 0;     // committed updates that a rollback has undone
  std::size_t rollbacks = 0;
  std::size_t operations = 0;
  std::size_t keys = 0;
};

struct NotApplicable {
  Check check;
  std::string why;
};

struct Report {
  Counts counts;
  std::vector<Check> checks_run;
  std::vector<NotApplicable> not_applicable;
  std::vector<Violation> violations;
  std::size_t violation_count = 0;  // also those that were not kept

  bool ok() const { return violation_count == 0; }
};

Report check_all(const History& history, const CheckOptions& options = {});

// A few lines for people, each ended by '\n'.
std::string to_words(const Report& report);

// One line for machines, without '\n'. The keys are stable:
//   ok (bool) · violation_count · violations [{invariant, words, attempts [{node, incarnation, tx,
//   attempt}]}] checks_run [name] · not_applicable [{check, why}] counts {attempts, committed,
//   aborted, cancelled, unknown, read_only, undone, rollbacks, operations, keys}
std::string to_json(const Report& report, const History& history);

}  // namespace plurix::history

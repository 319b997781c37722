#include <plurix/history/check_all.h>

#include <algorithm>
#include <utility>

#include <plurix/history/commit_order.h>
#include <plurix/history/freshness.h>
#include <plurix/history/graph.h>
#include <plurix/history/opacity.h>
#include <plurix/history/outcome.h>
#include <plurix/history/real_time.h>
#include <plurix/history/restarts.h>
#include <plurix/history/rollback.h>
#include <plurix/history/well_formed.h>

namespace plurix::history {
namespace {

Findings run(Check check, const Timeline& timeline, const CheckOptions& options) {
  const auto limit = options.max_violations;
  switch (check) {
    case Check::kWellFormed:
      return check_well_formed(timeline.index(), limit);
    case Check::kCommitOrder:
      return check_commit_order(timeline, limit);
    case Check::kRealTime:
      return check_real_time(timeline, limit);
    case Check::kFreshness:
      return check_freshness(timeline, limit);
    case Check::kOpacity:
      return check_opacity(timeline, limit);
    case Check::kGraph:
      return check_graph(timeline, limit);
    case Check::kRollback:
      return check_rollback(timeline, limit);
    case Check::kRestarts:
      return check_restarts(timeline.index().history(), *options.promised_restarts, limit);
  }
  return Findings(limit);
}

void count_attempt(Counts& counts, const Timeline& timeline, AttemptId id) {
  const Index& index = timeline.index();
  if (index.effect(id) == Effect::kSuperseded) return;
  const Attempt& attempt = index.attempt(id);
  const bool committed = attempt.status == Status::kCommitted;
  ++counts.attempts;
  counts.operations += attempt.ops.size();
  counts.committed += committed;
  counts.aborted += attempt.status == Status::kAborted;
  counts.cancelled += attempt.status == Status::kCancelled;
  counts.unknown += attempt.status == Status::kUnknown;
  counts.read_only += committed && attempt.read_only;
  counts.undone += index.effect(id) == Effect::kUpdate && timeline.undone_by(id) != nullptr;
}

Counts counts_of(const Timeline& timeline) {
  Counts counts;
  for (AttemptId id = 0; id < timeline.index().size(); ++id) count_attempt(counts, timeline, id);
  counts.rollbacks = timeline.index().history().rollbacks.size();
  counts.keys = timeline.index().key_count();
  return counts;
}

void take(Report& report, Check check, Findings findings) {
  report.checks_run.push_back(check);
  report.violation_count += findings.count;
  std::move(findings.violations.begin(), findings.violations.end(),
            std::back_inserter(report.violations));
  for (std::string& why : findings.not_applicable)
    report.not_applicable.push_back({check, std::move(why)});
}

}  // namespace

std::string_view name_of(Check check) {
  switch (check) {
    case Check::kWellFormed:
      return "well_formed";
    case Check::kCommitOrder:
      return "commit_order";
    case Check::kRealTime:
      return "real_time";
    case Check::kFreshness:
      return "freshness";
    case Check::kOpacity:
      return "opacity";
    case Check::kGraph:
      return "graph";
    case Check::kRollback:
      return "rollback";
    case Check::kRestarts:
      return "restarts";
  }
  return "";
}

std::optional<Check> check_named(std::string_view name) {
  for (const Check check : kAllChecks) {
    if (name_of(check) == name) return check;
  }
  return std::nullopt;
}

Report check_all(const History& history, const CheckOptions& options) {
  Report report;
  Index index(history);
  const std::size_t untimed = settle_outcomes(index);
  const Timeline timeline(index);
  report.counts = counts_of(timeline);
  if (untimed > 0) {
    report.not_applicable.push_back(
        {Check::kCommitOrder,
         std::to_string(untimed) +
             " keys were written by updates of unknown outcome without a usable commit time; "
             "only graph judges them"});
  }
  for (const Check check : options.checks) {
    take(report, check, run(check, timeline, options));
  }
  if (options.promised_restarts) {
    take(report, Check::kRestarts, run(Check::kRestarts, timeline, options));
  }
  return report;
}

}  // namespace plurix::history

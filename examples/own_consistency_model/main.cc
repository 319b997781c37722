// docs/your-own-policy.md: any predicate over histories is a consistency model. This one holds;
// with `--broken` a model is tried that promises more than the system does, and is refuted.
#include <plurix/sim/explore.h>

#include <iostream>

#include "models.h"

using namespace plurix;

sim::RunResult judge_by_monotonic_reads(const sim::Case& c, std::size_t keep_events) {
  auto result = sim::run_case<Fair>(c, keep_events);
  if (!result.violation) result.violation = breaks_monotonic_reads(result.history);
  return result;
}

sim::RunResult judge_by_strictness_for_all(const sim::Case& c, std::size_t keep_events) {
  auto result = sim::run_case<Fair>(c, keep_events);
  if (!result.violation) result.violation = breaks_strictness_for_all(result.history);
  return result;
}

int main(int argc, char** argv) {
  const bool broken = argc > 1 && std::string_view(argv[1]) == "--broken";
  // Not across a crash: the epoch after it may undo what a node has seen.
  auto faults = sim::FaultMenu::all();
  faults.crash = false;
  const sim::ExploreOptions options{.seeds = 50, .nodes = 4, .transactions = 60, .faults = faults};
  return sim::explore_main(argc, argv, options,
                           broken ? judge_by_strictness_for_all : judge_by_monotonic_reads,
                           std::cout);
}

// The property-test kit in a few lines: runs random cases from seeds, and when one violates an
// invariant makes it small and explains it. A commit strategy or a transport wrapper of one's own
// goes in as a template argument:
//
//   const auto found = sim::explore({.seeds = 100}, sim::run_case<MyStrategy>);
//   if (found) std::puts(sim::to_words(*found, "./my_test --case case.txt").c_str());
//
// `explore_main` makes a whole program of it, which also replays what it has found.
#pragma once

#include <plurix/sim/explain.h>

#include <functional>
#include <ostream>

namespace plurix::sim {

/// Runs a case from start to verdict; `keep_events` as in RunOptions.
using CaseRunner = std::function<RunResult(const Case& c, std::size_t keep_events)>;

/// With the small sizes that make rare paths frequent (`stressful_config`).
template <CommitStrategy Strategy = Fair, template <class> class Wrapper = Bare>
RunResult run_case(const Case& c, std::size_t keep_events) {
  RunOptions options;
  options.seed = c.seed;
  options.faults = c.faults;
  options.node = stressful_config();
  options.time_limit =
      milliseconds(60'000 + 10 * static_cast<std::int64_t>(c.program.transactions()));
  options.keep_events = keep_events;
  return run<Strategy, Wrapper>(c.program, options);
}

struct ExploreOptions {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 100;
  std::uint32_t nodes = 5;
  std::uint32_t transactions = 50;  ///< of each node
  FaultMenu faults = FaultMenu::all();
  std::string strategy = "fair";  ///< the name a case file gives it
};

/// The case of one seed: a random program under a random schedule.
Case random_case(const ExploreOptions& options, std::uint64_t seed);

/// The smallest case found that violates an invariant, and its run with the newest events.
struct Counterexample {
  Case smallest;
  RunResult result;
  std::uint64_t seed = 0;  ///< of the case that was made small
};

/// Runs the seeds until one violates an invariant. Nothing if none does.
std::optional<Counterexample> explore(const ExploreOptions& options, const CaseRunner& runner);

/// Makes a failing case small and runs it once more to keep its events.
Counterexample shrink_to_counterexample(const Case& failing, const CaseRunner& runner);

/// Everything a reader needs: what does not hold, the case, its last events as a lane a node, and
/// `replay_command`, which leads to the same digest.
std::string to_words(const Counterexample& found, std::string_view replay_command);

/// A digest as every report prints it.
std::string digest_text(std::uint64_t digest);

/// A program around `explore`: runs the seeds, and on a violation explains it, writes the case to a
/// file and prints the command that replays it, which is the program with the arguments it has and
/// `--case FILE` behind them. Returns 0 if nothing was violated, 4 if something was, 1 if the file
/// cannot be read or written.
int explore_main(int argc, char** argv, const ExploreOptions& options, const CaseRunner& runner,
                 std::ostream& out);

}  // namespace plurix::sim

// The invariants of transactions and protocol as properties over simulated clusters: random
// programs under random faults, the real core, every checker on. A failing case is shrunk, and
// printed with the RC_PARAMS that replay it.
#include <plurix/commit/first_wins.h>
#include <plurix/sim/counted.h>
#include <plurix/sim/explain.h>
#include <plurix/sim/rapidcheck.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace plurix::sim {
namespace {

void must_hold(const RunResult& result) {
  if (result.violation) RC_FAIL(*result.violation);
}

RC_GTEST_PROP(SimulatedCluster, KeepsEveryInvariantUnderTheFairStrategy, ()) {
  const auto nodes = *rc::gen::inRange<std::uint32_t>(1, 7);
  must_hold(run<Fair>(*programs(nodes, 40), *run_options(nodes)));
}

RC_GTEST_PROP(SimulatedCluster, KeepsEveryInvariantUnderFirstWins, ()) {
  const auto nodes = *rc::gen::inRange<std::uint32_t>(1, 5);
  must_hold(run<FirstWins>(*programs(nodes, 30), *run_options(nodes)));
}

RC_GTEST_PROP(SimulatedCluster, RunsTheSameEventsForTheSameSeed, ()) {
  const auto program = *programs(3, 20);
  const auto options = *run_options(3);
  const auto first = run<Fair>(program, options);
  const auto second = run<Fair>(program, options);
  RC_ASSERT(first.digest == second.digest);
  RC_ASSERT(first.events == second.events);
  RC_ASSERT(first.history == second.history);
}

RC_GTEST_PROP(FaultSchedule, IsReadBackAsItWasPrinted, ()) {
  const auto schedule = *fault_schedules(5);
  const auto again = parse_fault_schedule(to_string(schedule));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == schedule);
}

// A rare path that no run takes is not tested: here a few seeds must take each of them.
TEST(SimulatedCluster, MeetsEveryFaultAndTakesEveryRarePath) {
  Occurrences occurrences;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Prng prng(seed);
    const auto program = random_program(5, 150, prng);
    RunOptions options;
    options.seed = seed;
    options.node = stressful_config();
    options.faults = random_schedule(FaultMenu::all(), 5, milliseconds(15), prng);
    const auto result = run<Fair>(program, options);
    ASSERT_FALSE(result.violation) << "seed " << seed << ": " << *result.violation;
    occurrences.add(result);
  }
  for (const auto& [name, count] : occurrences.faults()) EXPECT_GT(count, 0u) << name;
  for (const auto& [name, count] : occurrences.rare_paths()) EXPECT_GT(count, 0u) << name;
}

// What a case file says is all there is to a run.
TEST(SimulatedCluster, ReplaysACaseFileToTheSameDigest) {
  Prng prng(2026);
  Case original;
  original.seed = 2026;
  original.program = random_program(4, 50, prng);
  original.faults = random_schedule(FaultMenu::all(), 4, milliseconds(5), prng);
  const auto again = parse_case(to_string(original));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->program, original.program);
  const auto digest_of = [](const Case& c) {
    RunOptions options;
    options.seed = c.seed;
    options.node = stressful_config();
    options.faults = c.faults;
    return run<Fair>(c.program, options).digest;
  };
  EXPECT_EQ(digest_of(*again), digest_of(original));
}

}  // namespace
}  // namespace plurix::sim

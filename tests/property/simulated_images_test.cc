// The PageServer of a simulated cluster takes images on a disk in memory, while nodes crash, it
// crashes itself, its disk fails, links are cut, and frames are lost. Every image is compared with
// what the owners of the pages had at its commit time; after every recovery the history must still
// be right, and nothing that was said to be durable may be gone.
#include <gtest/gtest.h>
#include <plurix/sim/counted.h>
#include <plurix/sim/explore.h>
#include <plurix/sim/run.h>

namespace plurix::sim {
namespace {

/// Nodes crash in it, the PageServer too, its disk fails, and somebody is cut off.
FaultSchedule crashing_schedule(std::uint32_t nodes, Prng& prng) {
  auto schedule = random_schedule(FaultMenu::all(), nodes, milliseconds(15), prng);
  const auto add = [&](FaultKind kind, std::uint32_t node, std::uint32_t for_us) {
    const auto at = static_cast<std::uint32_t>(3'000 + prng.below(20'000));
    schedule.timed.push_back({.kind = kind, .node = node, .at_us = at, .for_us = for_us});
  };
  for (int i = 0; i < 2; ++i) {
    const auto down = static_cast<std::uint32_t>(5'000 + prng.below(20'000));
    add(FaultKind::kCrash, static_cast<std::uint32_t>(prng.below(nodes)), down);
    add(FaultKind::kDisk, 0, 0);
  }
  add(FaultKind::kIsolate, static_cast<std::uint32_t>(prng.below(nodes)), 20'000);
  keep_clocks_within_the_lease(schedule);
  return schedule;
}

TEST(SimulatedImages, AreOfOneCommitTimeAndWhereTheClusterGoesBackTo) {
  CoreCounters sum;
  std::uint64_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Prng prng(seed);
    const auto program = random_program(4, 100, prng);
    RunOptions options;
    options.seed = seed;
    options.node = stressful_config();
    options.faults = crashing_schedule(4, prng);
    const auto result = run<Fair>(program, options);
    ASSERT_FALSE(result.violation)
        << "seed " << seed << ", faults " << to_string(options.faults) << ": " << *result.violation;
    add(sum, result.counters);
    compared += result.image_pages_compared;
  }
  EXPECT_GT(compared, 50'000u);
  EXPECT_GT(sum.images_stored, 1'000u);
  EXPECT_GT(sum.images_given_up, 0u);
  EXPECT_GT(sum.pre_images_kept, 0u);
  EXPECT_GT(sum.rollbacks, 0u);
  // In every other run the PageServer listened.
  EXPECT_GT(sum.pages_snooped, 1'000u);
  EXPECT_GT(sum.snooped_early, 0u);
  EXPECT_GT(sum.snooped_stale, 0u);
}

// The nodes of the former life work on under its leases, and somebody could read what is past.
TEST(SimulatedImages, BeginAgainOnlyWhenTheLeasesOfTheFormerPageServerHaveRunOut) {
  const auto found = parse_case(R"(seed 484438
strategy fair
faults loss=14858 duplication=30745 reordering=113598 corruption=10739 delay=5000..50000; disk 0 at 0us for 0us; crash 0 at 3695us for 0us
node 0: update( w12 )
node 1:
node 2: read-latest( )
node 3:
)");
  ASSERT_TRUE(found.has_value());
  const auto result = run_case<Fair>(*found, 0);
  EXPECT_FALSE(result.violation) << *result.violation;
}

}  // namespace
}  // namespace plurix::sim

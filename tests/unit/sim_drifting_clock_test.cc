#include <gtest/gtest.h>
#include <plurix/sim/counted.h>
#include <plurix/sim/machine.h>
#include <rapidcheck/gtest.h>

namespace plurix::sim {
namespace {

TEST(DriftingClock, ShowsRealTimeUntilItsSpeedIsSet) {
  const DriftingClock clock({500});
  EXPECT_EQ(clock.shown_at({500}), Instant{500});
  EXPECT_EQ(clock.shown_at({9'000}), Instant{9'000});
  EXPECT_EQ(clock.real_at({9'000}), Instant{9'000});
}

TEST(DriftingClock, RunsAtItsSpeedFromThenOn) {
  DriftingClock clock({0});
  clock.set_speed(250, {1'000});
  EXPECT_EQ(clock.shown_at({5'000}), Instant{2'000});
  EXPECT_EQ(clock.real_at({2'000}), Instant{5'000});
  clock.set_speed(1000, {5'000});
  EXPECT_EQ(clock.shown_at({5'100}), Instant{2'100});
}

TEST(DriftingClock, NeverComesToNever) {
  DriftingClock clock({0});
  clock.set_speed(3, {10});
  EXPECT_EQ(clock.real_at(kNever), kNever);
}

RC_GTEST_PROP(DriftingClock, NeverGoesBackAndIsAskedAtTheRightInstant, ()) {
  DriftingClock clock({1'000});
  Instant real{1'000};
  auto shown = clock.shown_at(real);
  const auto changes = *rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint32_t>>>(
      rc::gen::pair(rc::gen::inRange<std::uint32_t>(1, 5'000),
                    rc::gen::inRange<std::uint32_t>(0, 1'000'000)));
  for (const auto& [speed, wait] : changes) {
    clock.set_speed(speed, real);
    RC_ASSERT(clock.shown_at(real) == shown);
    const auto awaited = shown + Duration{wait};
    const auto at = clock.real_at(awaited);
    RC_ASSERT(clock.shown_at(at) >= awaited);
    RC_ASSERT(at == real || clock.shown_at({at.ns - 1}) < awaited);
    real = at;
    shown = clock.shown_at(real);
  }
}

TEST(Occurrences, SayInWordsWhatNeverHappened) {
  EXPECT_EQ(in_words({{"lost", 3}, {"cut_off", 0}, {"forged", 1}}),
            "lost 3, forged 1; never: cut_off");
  EXPECT_EQ(in_words({{"lost", 3}}), "lost 3; none left out");
  EXPECT_EQ(in_words({{"lost", 0}}), "never: lost");
}

}  // namespace
}  // namespace plurix::sim

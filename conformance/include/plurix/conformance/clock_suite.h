// What every Clock promises, as one typed suite. A model joins with a World:
//
//   struct MyWorld {
//     const MyClock& clock();
//     void pass(Duration real);   // returns when that much time has gone
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(My, ClockSuite, MyWorld);   // in namespace plurix::conformance
//
// A clock may run slow or fast by up to a factor of ten; it may not stand still or go back.
#pragma once

#include <plurix/concepts/clock.h>

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace plurix::conformance {

template <class World>
class ClockSuite : public ::testing::Test {
 protected:
  using Model = std::remove_cvref_t<decltype(std::declval<World&>().clock())>;
  static_assert(Clock<Model>);

  Instant now() { return world_.clock().now(); }
  World& world() { return world_; }

 private:
  World world_;
};

TYPED_TEST_SUITE_P(ClockSuite);

TYPED_TEST_P(ClockSuite, NeverGoesBack) {
  auto last = this->now();
  for (int reading = 0; reading < 10'000; ++reading) {
    const auto next = this->now();
    ASSERT_GE(next.ns, last.ns) << "reading " << reading;
    last = next;
    if (reading % 1'000 == 0) this->world().pass(microseconds(1));
  }
}

TYPED_TEST_P(ClockSuite, GoesOnWithTime) {
  for (const auto time : {microseconds(100), milliseconds(5), milliseconds(20)}) {
    const auto begin = this->now();
    this->world().pass(time);
    EXPECT_GE((this->now() - begin).ns, time.ns / 10);
  }
}

TYPED_TEST_P(ClockSuite, ShowsShortTimes) {
  const auto begin = this->now();
  auto next = begin;
  for (int i = 0; i < 1'000 && next == begin; ++i) {
    this->world().pass(microseconds(1));
    next = this->now();
  }
  EXPECT_LE((next - begin).ns, milliseconds(50).ns) << "timers of a millisecond need a finer clock";
  EXPECT_GT((next - begin).ns, 0);
}

// A long way from the end of the 64 bits, so that adding any timeout does not overflow.
TYPED_TEST_P(ClockSuite, LeavesRoomForTimeouts) {
  EXPECT_GE(this->now().ns, 0);
  EXPECT_LT(this->now().ns, kNever.ns / 2);
}

REGISTER_TYPED_TEST_SUITE_P(ClockSuite, NeverGoesBack, GoesOnWithTime, ShowsShortTimes,
                            LeavesRoomForTimeouts);

}  // namespace plurix::conformance

// The clocks against the common suite: the machine's, and simulated ones at several speeds.
#include <plurix/conformance/clock_suite.h>
#include <plurix/posix/monotonic_clock.h>

#include "conformance/sim_worlds.h"

namespace plurix::conformance {
namespace {

class MonotonicWorld {
 public:
  const posix::MonotonicClock& clock() { return clock_; }
  void pass(Duration time) {
    const timespec wanted{time.ns / 1'000'000'000, time.ns % 1'000'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &wanted, nullptr);
  }

 private:
  posix::MonotonicClock clock_;
};

template <std::uint32_t kSpeed>
class SimWorld {
 public:
  SimWorld() { network_.machine(2).set_clock_speed(kSpeed); }

  const sim::SimClock& clock() { return clock_; }
  void pass(Duration time) { network_.wait(2, network_.now() + time); }

 private:
  testing::SimNetwork network_;
  sim::SimClock clock_{network_.machine(2)};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Monotonic, ClockSuite, MonotonicWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, ClockSuite, SimWorld<1000>);
INSTANTIATE_TYPED_TEST_SUITE_P(SlowSim, ClockSuite, SimWorld<130>);
INSTANTIATE_TYPED_TEST_SUITE_P(FastSim, ClockSuite, SimWorld<4000>);

}  // namespace
}  // namespace plurix::conformance

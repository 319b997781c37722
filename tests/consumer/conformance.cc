// A clock of somebody else's against the suite of the concept.
#include <plurix/conformance/clock_suite.h>

#include <chrono>
#include <thread>

struct ChronoClock {
  plurix::Instant now() const noexcept {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::nanoseconds(now).count()};
  }
};

struct ChronoWorld {
  const ChronoClock& clock() { return clock_; }
  void pass(plurix::Duration time) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(time.ns));
  }

 private:
  ChronoClock clock_;
};

namespace plurix::conformance {
INSTANTIATE_TYPED_TEST_SUITE_P(Chrono, ClockSuite, ChronoWorld);
}

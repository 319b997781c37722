// MonotonicClock: CLOCK_MONOTONIC as the node's Clock.
#pragma once

#include <plurix/base/time.h>
#include <plurix/concepts/clock.h>

#include <ctime>

namespace plurix::posix {

/// Stateless; every thread of the machine reads the same time. Any context, signals included.
class MonotonicClock {
 public:
  Instant now() const noexcept {
    timespec t;
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return {std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
  }
};
static_assert(Clock<MonotonicClock>);

}  // namespace plurix::posix

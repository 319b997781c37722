// Local clock readings. `Instant` is a point on one node's monotonic clock, `Duration` a distance;
// both count nanoseconds. They order nothing across nodes: that is CommitTime's job.
#pragma once

#include <compare>
#include <cstdint>

namespace plurix {

struct Duration {
  std::int64_t ns = 0;

  friend constexpr auto operator<=>(Duration, Duration) noexcept = default;
  constexpr Duration operator*(std::int64_t factor) const noexcept { return {ns * factor}; }
};

constexpr Duration microseconds(std::int64_t count) noexcept { return {count * 1'000}; }
constexpr Duration milliseconds(std::int64_t count) noexcept { return {count * 1'000'000}; }

struct Instant {
  std::int64_t ns = 0;

  friend constexpr auto operator<=>(Instant, Instant) noexcept = default;
  constexpr Instant operator+(Duration d) const noexcept { return {ns + d.ns}; }
  constexpr Duration operator-(Instant other) const noexcept { return {ns - other.ns}; }
};

/// Later than every reading: the deadline of something that is not awaited.
inline constexpr Instant kNever{INT64_MAX};

constexpr Instant earlier(Instant a, Instant b) noexcept { return a < b ? a : b; }

}  // namespace plurix

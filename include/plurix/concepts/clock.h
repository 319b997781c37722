// Clock: one node's monotonic time. Models: CLOCK_MONOTONIC, TSC with PIT, simulated.
#pragma once

#include <plurix/base/time.h>

#include <concepts>

namespace plurix {

/// Readings never decrease. Any context.
template <class C>
concept Clock = requires(const C& c) {
  { c.now() } noexcept -> std::same_as<Instant>;
};

}  // namespace plurix

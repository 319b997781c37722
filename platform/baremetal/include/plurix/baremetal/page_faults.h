// Who answers a page fault: each range of addresses has one owner. A fault anywhere else is a
// panic.
#pragma once

#include <plurix/baremetal/interrupts.h>

#include <cstdint>

namespace plurix::baremetal {

/// Called with interrupts off; returns when the access may be repeated, or never. May fault itself,
/// in another range.
struct PageFaultOwner {
  void (*call)(void* context, InterruptFrame& frame, std::uint64_t address) noexcept = nullptr;
  void* context = nullptr;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// For good. At most sixteen.
void own_page_faults(const PageFaultOwner& owner) noexcept;

}  // namespace plurix::baremetal

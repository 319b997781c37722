// The end of a kernel: says what happened, where, and what went before, on whatever is connected,
// and stops the machine. A node fails by stopping (DESIGN P7): the others go on without it.
#pragma once

#include <plurix/baremetal/interrupts.h>
#include <plurix/base/assert.h>

#include <string_view>

namespace plurix::baremetal {

/// Where a panic is written to, and what can be told of the time before it. Each may be null.
struct PanicReport {
  void (*write)(void* context, std::string_view text) noexcept = nullptr;
  void (*last_events)(void* context) noexcept = nullptr;  ///< writes them, by itself
  void* context = nullptr;
};

/// Panics of the hub and of exceptions go here from now on.
void set_panic_report(const PanicReport& report) noexcept;

/// With the registers of the code that was interrupted.
[[noreturn]] void panic_at(const char* what, const InterruptFrame& frame) noexcept;

/// Ends the virtual machine with exit status 2 * code + 1 if QEMU has its isa-debug-exit device at
/// port 0xf4; otherwise sleeps for ever.
[[noreturn]] void stop_machine(std::uint8_t code) noexcept;
inline constexpr std::uint8_t kStoppedWell = 0x10;   ///< exit status 33
inline constexpr std::uint8_t kStoppedBadly = 0x11;  ///< exit status 35

}  // namespace plurix::baremetal

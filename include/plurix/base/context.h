// Saves and restores the registers a function call must preserve: how a body that follows plain
// pointers is left from a fault (its frames are simply dropped), and how simulated nodes take
// turns.
#pragma once

#include <cstdint>

namespace plurix {

/// rbx, rbp, r12 … r15, rsp, return address (System V x86-64 calling convention). Signal masks and
/// floating-point control words are not part of it.
struct Context {
  std::uint64_t registers[8] = {};
};

extern "C" {

/// Returns 0 after saving, and again the value given to `plurix_restore_context`.
int plurix_save_context(Context* context) noexcept __attribute__((returns_twice));

/// Continues at the save. The function that saved must not have returned. Any context, also a
/// signal handler on another stack.
[[noreturn]] void plurix_restore_context(const Context* context, int value) noexcept;

/// Saves into `from` and continues at `to`: a coroutine switch.
void plurix_switch_context(Context* from, const Context* to) noexcept;
}

}  // namespace plurix

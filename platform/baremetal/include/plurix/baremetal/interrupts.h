// Exceptions and interrupts: descriptor tables, the two interrupt controllers, and who is called.
//
// A handler runs on the stack of what it interrupted, with interrupts off; it may switch them on,
// and it may never return (a restarted body drops its frames). Only a double fault has a stack of
// its own, because the usual reason for it is that the stack is full.
// Source: Intel SDM volume 3, chapter 6; 8259A data sheet (231468-003).
#pragma once

#include <cstdint>

namespace plurix::baremetal {

/// What the processor and our entry code have pushed, lowest address first.
struct InterruptFrame {
  std::uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx, rax;
  std::uint64_t vector, error;
  std::uint64_t rip, cs, flags, rsp, ss;

  bool interrupts_were_on() const noexcept { return (flags & 0x200) != 0; }
};

struct InterruptHandler {
  void (*call)(void* context, InterruptFrame& frame) noexcept = nullptr;
  void* context = nullptr;
};

inline constexpr unsigned kPageFaultVector = 14;
inline constexpr unsigned kLines = 16;     ///< of the two interrupt controllers
inline constexpr unsigned kTimerLine = 0;  ///< PIT
inline constexpr unsigned kFirstLineVector = 32;
constexpr unsigned vector_of_line(unsigned line) noexcept { return kFirstLineVector + line; }

/// Loads the tables and masks all lines. Exceptions without a handler panic from here on.
void start_interrupts() noexcept;

/// Who is called for a vector. A line's interrupt is acknowledged before its handler runs.
void set_interrupt_handler(unsigned vector, InterruptHandler handler) noexcept;

void enable_line(unsigned line) noexcept;
void disable_line(unsigned line) noexcept;

}  // namespace plurix::baremetal

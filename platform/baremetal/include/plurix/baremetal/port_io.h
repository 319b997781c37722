// PortIo: the processor's own ways to devices and to itself: port instructions, and the few
// privileged instructions that more than one file needs.
#pragma once

#include <cstdint>

namespace plurix::baremetal {

/// Reads and writes I/O ports. A type, so that a driver templated on its register access can be
/// given a fake chip instead.
struct PortIo {
  static std::uint8_t in8(std::uint16_t port) noexcept {
    std::uint8_t value = 0;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
  }
  static std::uint16_t in16(std::uint16_t port) noexcept {
    std::uint16_t value = 0;
    asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
  }
  static std::uint32_t in32(std::uint16_t port) noexcept {
    std::uint32_t value = 0;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
  }
  static void out8(std::uint16_t port, std::uint8_t value) noexcept {
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
  }
  static void out16(std::uint16_t port, std::uint16_t value) noexcept {
    asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
  }
  static void out32(std::uint16_t port, std::uint32_t value) noexcept {
    asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
  }
};

inline void disable_interrupts() noexcept { asm volatile("cli" : : : "memory"); }
inline void enable_interrupts() noexcept { asm volatile("sti" : : : "memory"); }

/// Enables interrupts and sleeps until the next one. `sti` takes effect behind the instruction that
/// follows it, so one that came in between is not slept through (Intel SDM volume 2, STI).
inline void sleep_until_interrupt() noexcept { asm volatile("sti; hlt" : : : "memory"); }

inline bool interrupts_enabled() noexcept {
  std::uint64_t flags = 0;
  asm volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
  return (flags & 0x200) != 0;
}

inline std::uint64_t time_stamp_counter() noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (std::uint64_t{high} << 32) | low;
}

/// Keeps interrupts out for a few lines, and leaves them as they were.
class InterruptsOff {
 public:
  InterruptsOff() noexcept : were_on_(interrupts_enabled()) { disable_interrupts(); }
  ~InterruptsOff() {
    if (were_on_) enable_interrupts();
  }
  InterruptsOff(const InterruptsOff&) = delete;
  InterruptsOff& operator=(const InterruptsOff&) = delete;

 private:
  const bool were_on_;
};

}  // namespace plurix::baremetal

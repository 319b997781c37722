// What the driver needs of the machine beside the registers: memory the chip can reach, and a way
// to sleep until the chip interrupts.
#pragma once

#include <plurix/base/time.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace plurix::rtl8139 {

/// The receive ring and the 16 bytes the chip may write behind it. It is the largest one the chip
/// has, 43 of the longest frames, and the only one in which frames are cut at the end.
inline constexpr std::size_t kRingBytes = 64 * 1024;
inline constexpr std::size_t kRingMemory = kRingBytes + 16;

/// Frames to be sent wait in buffers of their own, because the chip takes only four at a time.
inline constexpr std::size_t kSendBuffers = 64;
inline constexpr std::size_t kSendBufferBytes = 1536;

inline constexpr std::size_t kDmaBytes = kRingMemory + kSendBuffers * kSendBufferBytes;

/// At least kDmaBytes, in one piece for the chip too, below 4 GiB, aligned to 4 bytes.
template <class D>
concept DmaMemory = requires(D& dma) {
  { dma.bytes() } noexcept -> std::same_as<std::span<std::byte>>;
  { dma.bus_address() } noexcept -> std::same_as<std::uint32_t>;
};

/// Whether there is something to do.
struct Condition {
  bool (*holds)(void* context) noexcept = nullptr;
  void* context = nullptr;

  bool operator()() const noexcept { return holds(context); }
};

/// `sleep` returns at the next interrupt, or at `until`, or at once if the condition holds. An
/// interrupt between the look at the condition and the sleep must end it: on a processor that is
/// "disable interrupts, look, enable them and halt in one".
template <class S>
concept Sleeper = requires(S& sleeper, Instant until, Condition ready) {
  { sleeper.sleep(until, ready) } noexcept;
};

}  // namespace plurix::rtl8139

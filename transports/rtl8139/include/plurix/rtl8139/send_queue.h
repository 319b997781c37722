// SendQueue: frames on their way to the chip, first in, first out. The chip has four descriptors
// and takes them strictly in turn, so frame n goes through descriptor n mod 4; further frames wait
// in their buffers.
#pragma once

#include <plurix/concepts/transport.h>
#include <plurix/rtl8139/memory.h>
#include <plurix/rtl8139/registers.h>

#include <algorithm>
#include <cstring>

namespace plurix::rtl8139 {

class SendQueue {
 public:
  static constexpr unsigned kDescriptors = 4;
  static constexpr std::size_t kShortestFrame = 60;

  explicit SendQueue(std::span<std::byte> memory, std::uint32_t bus_address) noexcept
      : memory_(memory), bus_address_(bus_address) {}

  /// The chip has been reset: it starts again with descriptor 0, and what waited is gone. Returns
  /// how many frames that were.
  std::uint32_t restart() noexcept {
    const auto lost = filled_ - done_;
    filled_ = given_ = done_ = 0;
    return lost;
  }

  bool full() const noexcept { return filled_ - done_ == kSendBuffers; }
  bool empty() const noexcept { return filled_ == done_; }

  /// Whether every descriptor holds a frame, as far as is known.
  bool all_in_use() const noexcept { return given_ - done_ == kDescriptors; }

  /// Whether a frame waits for a descriptor.
  bool is_waiting() const noexcept { return filled_ != given_; }

  /// Takes a frame in; the queue must not be full.
  void fill(Bytes header, Bytes first, Bytes second) noexcept {
    auto* const buffer = buffer_of(filled_);
    auto* end = buffer;
    for (const Bytes part : {header, first, second}) {
      if (part.empty()) continue;
      std::memcpy(end, part.data(), part.size());
      end += part.size();
    }
    auto size = static_cast<std::size_t>(end - buffer);
    if (size < kShortestFrame) std::memset(end, 0, kShortestFrame - size);
    size = std::max(size, kShortestFrame);
    sizes_[filled_ % kSendBuffers] = static_cast<std::uint16_t>(size);
    ++filled_;
  }

  /// Gives the chip as many frames as it takes.
  template <RegisterIo Io>
  void give(Io& io) noexcept {
    for (; given_ != filled_ && given_ - done_ < kDescriptors; ++given_) {
      const auto buffer = given_ % kSendBuffers;
      const auto offset = static_cast<std::uint32_t>(buffer * kSendBufferBytes);
      write(io, TransmitStart::Value{bus_address_ + offset}, given_ % kDescriptors);
      write(io, TransmitStatus::size(sizes_[buffer]), given_ % kDescriptors);
    }
  }

  /// How a frame's way through the chip ended.
  enum class End : std::uint8_t { kSent, kUnderrun, kAborted };

  /// Takes back what the chip is done with; calls `ended(End)` for each frame.
  template <RegisterIo Io, class Ended>
  void reclaim(Io& io, Ended ended) noexcept {
    if (done_ == given_) return;
    const auto all = read<TransmitSummary>(io);
    for (; done_ != given_; ++done_) {
      const auto descriptor = done_ % kDescriptors;
      if (all.has(TransmitSummary::ok(descriptor))) {
        ended(End::kSent);
      } else if (all.has(TransmitSummary::aborted(descriptor))) {
        ended(End::kAborted);
      } else if (all.has(TransmitSummary::underrun(descriptor))) {
        ended(End::kUnderrun);
      } else {
        return;
      }
    }
  }

 private:
  std::byte* buffer_of(std::uint32_t frame) noexcept {
    return memory_.data() + frame % kSendBuffers * kSendBufferBytes;
  }

  std::span<std::byte> memory_;
  std::uint32_t bus_address_;
  // Numbers of frames since the reset: done ≤ given ≤ filled. They may wrap around: buffers and
  // descriptors are powers of two.
  std::uint32_t filled_ = 0;
  std::uint32_t given_ = 0;
  std::uint32_t done_ = 0;
  std::uint16_t sizes_[kSendBuffers] = {};
};

}  // namespace plurix::rtl8139

// ReceiveRing: reads what the chip has written into its ring.
//
// Whether there is a frame says CR.BUFE alone: the chip may write a frame's header before the frame
// itself, so a look at the ring proves nothing. A header that makes no sense means that driver and
// chip disagree about where frames begin; then nothing in the ring can be believed and the receiver
// has to be started again.
#pragma once

#include <plurix/rtl8139/memory.h>
#include <plurix/rtl8139/registers.h>

#include <cstring>

namespace plurix::rtl8139 {

/// What stands at the read position.
struct RingEntry {
  enum class Kind : std::uint8_t { kFrame, kBadFrame, kNonsense };

  Kind kind = Kind::kNonsense;
  std::span<const std::byte> frame;  ///< without its checksum; kFrame only
};

class ReceiveRing {
 public:
  static constexpr std::size_t kShortestFrame = 60;
  static constexpr std::size_t kLongestFrame = 1514;

  explicit ReceiveRing(std::span<std::byte> memory) noexcept : memory_(memory) {}

  /// The chip has been reset.
  void restart() noexcept { at_ = 0; }

  /// Only if the chip says that there is a frame. `written` is where the chip writes next (CBR).
  RingEntry look(std::size_t written) const noexcept {
    const auto header = header_here();
    const auto filled = (written + kRingBytes - at_) % kRingBytes;
    const auto length = std::size_t{header.length};
    // A ring filled to the last byte looks empty by its positions; the chip leaves some room.
    if (length < ReceiveHeader::kChecksumBytes || step(length) > filled) return {};
    const auto size = length - ReceiveHeader::kChecksumBytes;
    const bool good = (header.status & ReceiveHeader::kOk) != 0 &&
                      (header.status & ReceiveHeader::kBad) == 0 && size >= kShortestFrame &&
                      size <= kLongestFrame;
    if (!good) return {RingEntry::Kind::kBadFrame, {}};
    return {RingEntry::Kind::kFrame, memory_.subspan(at_ + sizeof(ReceiveHeader), size)};
  }

  /// Passes what stands here, which is not nonsense; returns what to tell the chip.
  ReadPosition::Value advance() noexcept {
    at_ = (at_ + step(header_here().length)) % kRingBytes;
    return ReadPosition::at(at_);
  }

 private:
  ReceiveHeader header_here() const noexcept {
    ReceiveHeader header;
    std::memcpy(&header, memory_.data() + at_, sizeof header);
    return header;
  }

  /// Header, frame and checksum; every entry begins at a multiple of four.
  static constexpr std::size_t step(std::size_t length) noexcept {
    return (sizeof(ReceiveHeader) + length + 3) & ~std::size_t{3};
  }

  std::span<std::byte> memory_;
  std::size_t at_ = 0;
};

}  // namespace plurix::rtl8139

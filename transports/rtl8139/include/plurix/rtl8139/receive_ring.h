// ReceiveRing: reads what the chip has written into its ring.
//
// Whether there is a frame says CR.BUFE alone: the chip may write a frame's header before the frame
// itself, so a look at the ring proves nothing. A header that makes no sense means that driver and
// chip disagree about where frames begin; then nothing in the ring can be believed and the receiver
// has to be started again.
#pragma once

#include <plurix/rtl8139/memory.h>
#include <plurix/rtl8139/registers.h>

#include <algorithm>
#include <cstring>

namespace plurix::rtl8139 {

/// What stands at the read position.
struct RingEntry {
  enum class Kind : std::uint8_t { kFrame, kBadFrame, kNonsense };

  Kind kind = Kind::kNonsense;
  std::span<const std::byte> frame;  ///< without its checksum, until the next look; kFrame only
};

class ReceiveRing {
 public:
  static constexpr std::size_t kShortestFrame = 60;
  static constexpr std::size_t kLongestFrame = 1514;

  explicit ReceiveRing(std::span<std::byte> memory) noexcept : memory_(memory) {}

  /// The chip has been reset.
  void restart() noexcept { at_ = 0; }

  /// Whether nothing is left before `written`, where the chip writes next (CBR).
  bool is_read_up_to(std::size_t written) const noexcept { return at_ == written % kRingBytes; }

  /// Only if the chip says that there is a frame. `written` is where the chip writes next (CBR).
  RingEntry look(std::size_t written) noexcept {
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
    return {RingEntry::Kind::kFrame, frame_of(size)};
  }

  /// Passes what stands here, which is not nonsense.
  void advance() noexcept { at_ = (at_ + step(header_here().length)) % kRingBytes; }

  /// What to tell the chip, so that it uses again what has been passed.
  ReadPosition::Value position() const noexcept { return ReadPosition::at(at_); }

 private:
  ReceiveHeader header_here() const noexcept {
    ReceiveHeader header;
    std::memcpy(&header, memory_.data() + at_, sizeof header);
    return header;
  }

  /// In one piece, also where the ring's end cuts it. A header is never cut: entries begin at
  /// multiples of its size.
  std::span<const std::byte> frame_of(std::size_t size) noexcept {
    const auto begin = (at_ + sizeof(ReceiveHeader)) % kRingBytes;
    const auto before_end = std::min(size, kRingBytes - begin);
    if (before_end == size) return memory_.subspan(begin, size);
    std::memcpy(whole_, memory_.data() + begin, before_end);
    std::memcpy(whole_ + before_end, memory_.data(), size - before_end);
    return {whole_, size};
  }

  /// Header, frame and checksum; every entry begins at a multiple of four.
  static constexpr std::size_t step(std::size_t length) noexcept {
    return (sizeof(ReceiveHeader) + length + 3) & ~std::size_t{3};
  }

  std::span<std::byte> memory_;
  std::size_t at_ = 0;
  std::byte whole_[kLongestFrame];  ///< a frame that was cut
};

}  // namespace plurix::rtl8139

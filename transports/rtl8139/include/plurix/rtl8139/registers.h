// The registers of the RTL8139 as types. Sections are those of the datasheet of the RTL8139C(L),
// Realtek, rev. 1.4. A value knows its register, so it cannot be written to another one.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace plurix::rtl8139 {

/// How registers are reached: port instructions, mapped memory, a fake chip. Every access happens,
/// in program order, and no access to DMA memory is moved across it.
template <class T>
concept RegisterIo = requires(T& io, std::uint16_t offset) {
  { io.template read<std::uint8_t>(offset) } noexcept -> std::same_as<std::uint8_t>;
  { io.template read<std::uint16_t>(offset) } noexcept -> std::same_as<std::uint16_t>;
  { io.template read<std::uint32_t>(offset) } noexcept -> std::same_as<std::uint32_t>;
  { io.template write<std::uint8_t>(offset, std::uint8_t{}) } noexcept;
  { io.template write<std::uint16_t>(offset, std::uint16_t{}) } noexcept;
  { io.template write<std::uint32_t>(offset, std::uint32_t{}) } noexcept;
};

/// Bits of register `R`.
template <class R, class W>
struct Bits {
  using Register = R;
  using Word = W;

  Word word = 0;

  constexpr bool has(Bits any_of) const noexcept { return (word & any_of.word) != 0; }
  friend constexpr bool operator==(Bits, Bits) noexcept = default;
  friend constexpr Bits operator|(Bits a, Bits b) noexcept {
    return {static_cast<Word>(a.word | b.word)};
  }
  friend constexpr Bits operator&(Bits a, Bits b) noexcept {
    return {static_cast<Word>(a.word & b.word)};
  }
};

/// `n` chooses one of several equal registers.
template <class R, RegisterIo Io>
typename R::Value read(Io& io, unsigned n = 0) noexcept {
  using Word = typename R::Value::Word;
  return {io.template read<Word>(static_cast<std::uint16_t>(R::kOffset + n * sizeof(Word)))};
}

template <RegisterIo Io, class R, class W>
void write(Io& io, Bits<R, W> value, unsigned n = 0) noexcept {
  io.template write<W>(static_cast<std::uint16_t>(R::kOffset + n * sizeof(W)), value.word);
}

/// Section 6, IDR0 … IDR5: the station's address. Written in words of four bytes only.
struct StationAddress {
  using Value = Bits<StationAddress, std::uint8_t>;
  static constexpr std::uint16_t kOffset = 0x00;
};

/// Section 6, MAR0 … MAR7: the filter for multicast addresses.
struct MulticastFilter {
  using Value = Bits<MulticastFilter, std::uint32_t>;
  static constexpr std::uint16_t kOffset = 0x08;
};

/// Section 6.2, TSD0 … TSD3. Writing the size with kDone clear hands the descriptor to the chip.
struct TransmitStatus {
  using Value = Bits<TransmitStatus, std::uint32_t>;
  static constexpr std::uint16_t kOffset = 0x10;
  static constexpr std::uint32_t kSizeMask = 0x1fff;
  static constexpr std::size_t kMostBytes = 1792;  ///< the chip sends no longer frame
  static constexpr Value kDone{1u << 13};          ///< OWN: the chip has fetched the frame
  static constexpr Value kUnderrun{1u << 14};
  static constexpr Value kOk{1u << 15};
  /// ERTXTH: sending begins when 256 bytes (8 × 32) have been fetched.
  static constexpr Value kThreshold{8u << 16};
  static constexpr Value kAborted{1u << 30};
  static constexpr Value kCarrierLost{1u << 31};

  static constexpr Value size(std::size_t bytes) noexcept {
    return Value{static_cast<std::uint32_t>(bytes)} | kThreshold;
  }
};

/// Section 6, TSAD0 … TSAD3: bus address of the frame to send.
struct TransmitStart {
  using Value = Bits<TransmitStart, std::uint32_t>;
  static constexpr std::uint16_t kOffset = 0x20;
};

/// Section 6, RBSTART: bus address of the receive ring.
struct ReceiveStart {
  using Value = Bits<ReceiveStart, std::uint32_t>;
  static constexpr std::uint16_t kOffset = 0x30;
};

/// Section 6.4, CR.
struct Command {
  using Value = Bits<Command, std::uint8_t>;
  static constexpr std::uint16_t kOffset = 0x37;
  static constexpr Value kRingEmpty{1u << 0};  ///< BUFE
  static constexpr Value kTransmitterOn{1u << 2};
  static constexpr Value kReceiverOn{1u << 3};
  static constexpr Value kReset{1u << 4};
};

/// Section 6, CAPR: how far the ring has been read, less 16.
struct ReadPosition {
  using Value = Bits<ReadPosition, std::uint16_t>;
  static constexpr std::uint16_t kOffset = 0x38;
  static constexpr std::uint16_t kBias = 16;

  static constexpr Value at(std::size_t offset) noexcept {
    return {static_cast<std::uint16_t>(offset - kBias)};
  }
};

/// Section 6, CBR: how far the chip has filled the ring.
struct WritePosition {
  using Value = Bits<WritePosition, std::uint16_t>;
  static constexpr std::uint16_t kOffset = 0x3a;
};

/// Section 6.6, ISR: why the chip interrupts; writing a one clears the bit. Section 6.5: IMR, the
/// same bits, says which of them interrupt.
struct InterruptBit {
  static constexpr std::uint16_t kReceived = 1u << 0;
  static constexpr std::uint16_t kReceiveError = 1u << 1;
  static constexpr std::uint16_t kTransmitted = 1u << 2;
  static constexpr std::uint16_t kTransmitError = 1u << 3;
  static constexpr std::uint16_t kRingOverflow = 1u << 4;  ///< RXOVW
  static constexpr std::uint16_t kLinkChange = 1u << 5;    ///< also a ring read too far (PUN)
  static constexpr std::uint16_t kFifoOverflow = 1u << 6;  ///< FOVW
  static constexpr std::uint16_t kAll = 0x7f;
};

struct InterruptStatus {
  using Value = Bits<InterruptStatus, std::uint16_t>;
  static constexpr std::uint16_t kOffset = 0x3e;
  static constexpr Value kLinkChange{InterruptBit::kLinkChange};
  static constexpr Value kOverflow{InterruptBit::kRingOverflow | InterruptBit::kFifoOverflow};
};

struct InterruptMask {
  using Value = Bits<InterruptMask, std::uint16_t>;
  static constexpr std::uint16_t kOffset = 0x3c;
  static constexpr Value kAll{InterruptBit::kAll};
  static constexpr Value kAllButTransmitted{InterruptBit::kAll & ~InterruptBit::kTransmitted};
};

/// Section 6.7, TCR.
struct TransmitConfig {
  using Value = Bits<TransmitConfig, std::uint32_t>;
  static constexpr std::uint16_t kOffset = 0x40;
  static constexpr Value kClearAbort{1u << 0};
  static constexpr Value kBursts1024{6u << 8};  ///< MXDMA
  static constexpr Value kStandardGap{3u << 24};
};

/// Section 6.8, RCR.
struct ReceiveConfig {
  using Value = Bits<ReceiveConfig, std::uint32_t>;
  static constexpr std::uint16_t kOffset = 0x44;
  static constexpr Value kPhysicalMatch{1u << 1};
  static constexpr Value kBroadcast{1u << 3};
  static constexpr Value kRunts{1u << 4};
  static constexpr Value kErrors{1u << 5};
  static constexpr Value kBurstsUnlimited{7u << 8};
  static constexpr Value kRing64K{3u << 11};  ///< WRAP has no meaning with it: frames are cut
  static constexpr Value kRingMask{3u << 11};
  static constexpr Value kWholeFrames{7u << 13};  ///< RXFTH: no early start of the transfer
};

/// Section 6, MPC: frames missed for want of room; writing clears it.
struct MissedFrames {
  using Value = Bits<MissedFrames, std::uint32_t>;
  static constexpr std::uint16_t kOffset = 0x4c;
};

/// Section 6, TSAD: how all four descriptors stand, in one word.
struct TransmitSummary {
  using Value = Bits<TransmitSummary, std::uint16_t>;
  static constexpr std::uint16_t kOffset = 0x60;

  static constexpr Value aborted(unsigned descriptor) noexcept { return bit(4 + descriptor); }
  static constexpr Value underrun(unsigned descriptor) noexcept { return bit(8 + descriptor); }
  static constexpr Value ok(unsigned descriptor) noexcept { return bit(12 + descriptor); }

 private:
  static constexpr Value bit(unsigned n) noexcept { return {static_cast<std::uint16_t>(1u << n)}; }
};

/// Section 6.11, CONFIG1. Zero wakes the chip up.
struct Config1 {
  using Value = Bits<Config1, std::uint8_t>;
  static constexpr std::uint16_t kOffset = 0x52;
};

/// Section 6.12, MSR.
struct MediaStatus {
  using Value = Bits<MediaStatus, std::uint8_t>;
  static constexpr std::uint16_t kOffset = 0x58;
  static constexpr Value kLinkDown{1u << 2};  ///< LINKB
};

/// Section 6.1: the four bytes in front of each frame in the ring. The length counts the frame's
/// checksum, which stands behind it.
struct ReceiveHeader {
  std::uint16_t status = 0;
  std::uint16_t length = 0;

  static constexpr std::uint16_t kOk = 1u << 0;
  static constexpr std::uint16_t kAlignmentError = 1u << 1;
  static constexpr std::uint16_t kChecksumError = 1u << 2;
  static constexpr std::uint16_t kLong = 1u << 3;
  static constexpr std::uint16_t kRunt = 1u << 4;
  static constexpr std::uint16_t kSymbolError = 1u << 5;
  static constexpr std::uint16_t kBad =
      kAlignmentError | kChecksumError | kLong | kRunt | kSymbolError;
  static constexpr std::size_t kChecksumBytes = 4;
};
static_assert(sizeof(ReceiveHeader) == 4);

/// What the PCI configuration space calls the chip.
inline constexpr std::uint16_t kPciVendor = 0x10ec;
inline constexpr std::uint16_t kPciDevice = 0x8139;

}  // namespace plurix::rtl8139

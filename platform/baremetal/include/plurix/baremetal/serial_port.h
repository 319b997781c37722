// SerialPort: a 16550 UART, polled. Registers: National Semiconductor PC16550D data sheet, section
// 8 ("Registers").
#pragma once

#include <plurix/baremetal/port_io.h>

#include <optional>
#include <string_view>

namespace plurix::baremetal {

class SerialPort {
 public:
  static constexpr std::uint16_t kFirst = 0x3f8;
  static constexpr std::uint16_t kSecond = 0x2f8;

  explicit constexpr SerialPort(std::uint16_t base) noexcept : base_(base) {}

  /// 115 200 baud, 8 bits, no parity, FIFOs on, no interrupts. False if no chip answers.
  bool start() noexcept {
    PortIo::out8(at(kInterruptEnable), 0);
    PortIo::out8(at(kLineControl), kDivisorLatch);
    PortIo::out8(at(kData), 1);
    PortIo::out8(at(kInterruptEnable), 0);
    PortIo::out8(at(kLineControl), kEightBits);
    PortIo::out8(at(kFifoControl), kFifosOnAndEmpty);
    PortIo::out8(at(kModemControl), kReadyToTalk);
    PortIo::out8(at(kScratch), 0x5a);
    return PortIo::in8(at(kScratch)) == 0x5a;
  }

  void write(std::string_view text) noexcept {
    for (const char c : text) put(c);
  }

  /// The next byte that has come in.
  std::optional<char> read() noexcept {
    if ((PortIo::in8(at(kLineStatus)) & kDataReady) == 0) return {};
    return static_cast<char>(PortIo::in8(at(kData)));
  }

 private:
  // Offsets of the registers; with the divisor latch open the first two hold the divisor.
  static constexpr std::uint16_t kData = 0;
  static constexpr std::uint16_t kInterruptEnable = 1;
  static constexpr std::uint16_t kFifoControl = 2;
  static constexpr std::uint16_t kLineControl = 3;
  static constexpr std::uint16_t kModemControl = 4;
  static constexpr std::uint16_t kLineStatus = 5;
  static constexpr std::uint16_t kScratch = 7;

  static constexpr std::uint8_t kDivisorLatch = 0x80;
  static constexpr std::uint8_t kEightBits = 0x03;
  static constexpr std::uint8_t kFifosOnAndEmpty = 0x07;
  static constexpr std::uint8_t kReadyToTalk = 0x03;
  static constexpr std::uint8_t kDataReady = 0x01;
  static constexpr std::uint8_t kMayTransmit = 0x20;

  constexpr std::uint16_t at(std::uint16_t offset) const noexcept {
    return static_cast<std::uint16_t>(base_ + offset);
  }

  void put(char c) noexcept {
    while ((PortIo::in8(at(kLineStatus)) & kMayTransmit) == 0) {
    }
    PortIo::out8(at(kData), static_cast<std::uint8_t>(c));
  }

  std::uint16_t base_;
};

}  // namespace plurix::baremetal

// Keyboard: a PS/2 keyboard, polled, as characters. Source: Intel 8042 ("UPI-41AH/42AH"), and the
// IBM PS/2 technical reference for scan codes of set 1.
#pragma once

#include <plurix/baremetal/port_io.h>

#include <optional>
#include <string_view>

namespace plurix::kernel {

class Keyboard {
 public:
  static constexpr char kEscape = 27;

  /// Lets the controller translate to set 1, whatever the firmware has left.
  void start() noexcept {
    using baremetal::PortIo;
    PortIo::out8(kStatus, kWriteMode);
    PortIo::out8(kData, kTranslate);
  }

  /// The character of the next key that was pressed; none if there is none, or it has no character.
  std::optional<char> read() noexcept {
    using baremetal::PortIo;
    const auto status = PortIo::in8(kStatus);
    if (status == kNobody || (status & kFull) == 0) return {};
    return character_of(PortIo::in8(kData));
  }

 private:
  static constexpr std::uint16_t kData = 0x60;
  static constexpr std::uint16_t kStatus = 0x64;
  static constexpr std::uint8_t kFull = 0x01;
  static constexpr std::uint8_t kNobody = 0xff;  // no controller answers
  static constexpr std::uint8_t kWriteMode = 0x60;
  static constexpr std::uint8_t kTranslate = 0x40;
  static constexpr std::uint8_t kReleased = 0x80;
  static constexpr std::uint8_t kLeftShift = 0x2a;
  static constexpr std::uint8_t kRightShift = 0x36;

  static constexpr std::string_view kPlain{
      "\0\33"
      "1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ",
      58};
  static constexpr std::string_view kShifted{
      "\0\33"
      "!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ",
      58};

  std::optional<char> character_of(std::uint8_t code) noexcept {
    const auto key = static_cast<std::uint8_t>(code & ~kReleased);
    const bool pressed = code == key;
    if (key == kLeftShift || key == kRightShift) shift_ = pressed;
    const auto& table = shift_ ? kShifted : kPlain;
    if (!pressed || key >= table.size() || table[key] == '\0') return {};
    return table[key];
  }

  bool shift_ = false;
};

}  // namespace plurix::kernel

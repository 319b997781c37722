// CommandLine: the lines that come in over the serial port.
#pragma once

#include <plurix/baremetal/machine.h>

#include <optional>
#include <string_view>

namespace plurix::kernel {

class CommandLine {
 public:
  explicit CommandLine(baremetal::SerialPort port) noexcept : port_(port) {}

  /// The next whole line, if it has come; valid until the next call.
  std::optional<std::string_view> next() noexcept {
    if (complete_) length_ = 0;
    complete_ = false;
    while (const auto c = port_.read()) {
      if (*c == '\n') {
        complete_ = true;
        return std::string_view(line_, length_);
      }
      if (*c != '\r' && length_ < sizeof line_) line_[length_++] = *c;
    }
    return {};
  }

 private:
  baremetal::SerialPort port_;
  char line_[256] = {};
  std::size_t length_ = 0;
  bool complete_ = false;
};

}  // namespace plurix::kernel

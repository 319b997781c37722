// HostTime: what the host's clock showed when ours showed something else, so that histories of
// several machines can be compared. Asked over the serial line; README.md has the words.
#pragma once

#include <plurix/base/time.h>

#include "heap/command_line.h"

namespace plurix::kernel {

/// Two readings that belong together, up to `error`.
struct TimePair {
  Instant here;
  Instant host;
  Duration error{INT64_MAX};
};

class HostTime {
 public:
  /// Asks a few times and keeps the answer that came fastest. False if none came.
  bool ask(baremetal::Machine& machine, CommandLine& commands) noexcept;

  /// Asked twice, some time apart: now it is known how fast the two clocks go.
  bool is_compared() const noexcept { return is_compared_; }

  /// The host's reading that belongs to one of ours; ours before the clocks are compared.
  std::int64_t at(std::int64_t here_ns) const noexcept;

  /// How far `at` may be wrong.
  Duration error() const noexcept;

 private:
  static constexpr unsigned kTimes = 16;

  TimePair first_;
  TimePair last_;
  bool known_ = false;
  bool is_compared_ = false;
  std::uint32_t asked_ = 0;
};

}  // namespace plurix::kernel

// HostTime: what the host's clock showed when ours showed something else, so that histories of
// several machines can be compared. Asked over the serial line; README.md has the words.
#pragma once

#include <plurix/base/time.h>

#include "heap/command_line.h"
#include "interface/logged_history.h"

namespace plurix::kernel {

class HostTime {
 public:
  /// Asks a few times and keeps the answer that came fastest. False if none came.
  bool ask(baremetal::Machine& machine, CommandLine& commands) noexcept;

  const HostClock& clock() const noexcept { return clock_; }

 private:
  static constexpr unsigned kTimes = 16;

  HostClock clock_;
  bool known_ = false;
  std::uint32_t asked_ = 0;
};

}  // namespace plurix::kernel

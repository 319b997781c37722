// Time from the processor's time stamp counter, measured once against the 8254 interval timer, and
// that timer as an alarm. Source: Intel 8254 data sheet (231164-005), "Mode definitions".
#pragma once

#include <plurix/concepts/clock.h>

#include <plurix/baremetal/port_io.h>

namespace plurix::baremetal {

/// Nanoseconds since the clock was made. One part in a thousand right, which is enough for
/// deadlines; who compares times with another machine corrects the rate.
class TscClock {
 public:
  /// Begins to measure the counter, which takes two milliseconds; the machine has other things to
  /// do meanwhile. Until `run` it is time zero.
  TscClock() noexcept : begin_(start_measuring()) {}

  /// Ends measuring, and waits if that is too early. Called once more it does nothing.
  void run() noexcept;

  Instant now() const noexcept { return at(time_stamp_counter()); }

  /// The reading that belongs to a value of the counter.
  Instant at(std::uint64_t ticks) const noexcept {
    return {static_cast<std::int64_t>((Wide{ticks - begin_} * ns_per_tick_) >> kFractionBits)};
  }

  std::uint64_t ticks_per_second() const noexcept { return ticks_per_second_; }
  std::uint64_t first_tick() const noexcept { return begin_; }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr unsigned kFractionBits = 32;

  /// Both at nearly the same moment.
  struct Reading {
    std::uint64_t tsc = 0;
    std::uint64_t counted = 0;  ///< by the 8254 since it was started
  };
  static Reading read_both() noexcept;

  /// Returns what the time stamp counter is now.
  std::uint64_t start_measuring() noexcept;

  Reading first_;
  std::uint64_t begin_;
  std::uint64_t ticks_per_second_ = 0;
  std::uint64_t ns_per_tick_ = 0;  ///< in units of 2^-32
};
static_assert(Clock<TscClock>);

/// Channel 0 of the 8254: one interrupt on line kTimerLine when the time is over.
class AlarmTimer {
 public:
  static constexpr Duration kLongest = milliseconds(50);

  /// An alarm set anew replaces the one before. Longer times are cut to kLongest.
  void set(Duration from_now) noexcept;
};

}  // namespace plurix::baremetal

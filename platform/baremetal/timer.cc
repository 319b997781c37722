#include <plurix/baremetal/timer.h>

#include <algorithm>

namespace plurix::baremetal {
namespace {

constexpr std::uint64_t kInputHz = 1'193'182;
constexpr std::uint16_t kChannel0 = 0x40;
constexpr std::uint16_t kChannel2 = 0x42;
constexpr std::uint16_t kControl = 0x43;
constexpr std::uint16_t kGate2 = 0x61;  // bit 0: channel 2 counts; bit 1: the speaker hears it
constexpr std::uint8_t kEnded2 = 0x20;  // bit 5: it has come to zero, after 55 ms

constexpr std::uint8_t kSelect2 = 0x80;
constexpr std::uint8_t kLowThenHigh = 0x30;  // mode 0: counts down once, then signals
constexpr std::uint8_t kLatch = 0x00;

constexpr std::uint64_t kMeasuredTicks = kInputHz / 500;  // two milliseconds

void start_channel2() noexcept {
  const auto gate = PortIo::in8(kGate2);
  PortIo::out8(kGate2, static_cast<std::uint8_t>((gate & ~0x02) | 0x01));
  PortIo::out8(kControl, kSelect2 | kLowThenHigh);
  PortIo::out8(kChannel2, 0xff);
  PortIo::out8(kChannel2, 0xff);
}

bool channel2_has_ended() noexcept { return (PortIo::in8(kGate2) & kEnded2) != 0; }

}  // namespace

// Of several tries the one that took least time.
TscClock::Reading TscClock::read_both() noexcept {
  Reading best;
  std::uint64_t shortest = ~std::uint64_t{0};
  for (int i = 0; i < 8; ++i) {
    const auto before = time_stamp_counter();
    PortIo::out8(kControl, kSelect2 | kLatch);
    const auto after = time_stamp_counter();
    const auto low = PortIo::in8(kChannel2);
    const auto high = PortIo::in8(kChannel2);
    if (after - before >= shortest) continue;
    shortest = after - before;
    best = {before + shortest / 2, 0xffffU - (low | static_cast<unsigned>(high) << 8)};
  }
  return best;
}

std::uint64_t TscClock::start_measuring() noexcept {
  const auto now = time_stamp_counter();
  start_channel2();
  first_ = read_both();
  return now;
}

// A machine that was not let run for so long that the counter has come round measures again.
void TscClock::run() noexcept {
  if (ticks_per_second_ != 0) return;
  auto last = read_both();
  while (last.counted - first_.counted < kMeasuredTicks || channel2_has_ended()) {
    if (channel2_has_ended()) (void)start_measuring();
    last = read_both();
  }
  ticks_per_second_ = (last.tsc - first_.tsc) * kInputHz / (last.counted - first_.counted);
  ns_per_tick_ = (std::uint64_t{1'000'000'000} << kFractionBits) / ticks_per_second_;
}

void AlarmTimer::set(Duration from_now) noexcept {
  const auto ns =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(from_now.ns, 1'000, kLongest.ns));
  const auto ticks = std::max<std::uint64_t>(ns * kInputHz / 1'000'000'000, 1);
  PortIo::out8(kControl, kLowThenHigh);
  PortIo::out8(kChannel0, static_cast<std::uint8_t>(ticks));
  PortIo::out8(kChannel0, static_cast<std::uint8_t>(ticks >> 8));
}

}  // namespace plurix::baremetal

// What goes wrong in a run, as a value: how links treat frames, and what happens to whom at which
// time. It can be generated, shrunk, printed, and read back from what was printed.
//
//   loss=20000 duplication=10000 delay=5000..30000; isolate 2 at 1000us for 3000us; pause 0 at …
//
// Probabilities are in parts per million, delays in nanoseconds, times in microseconds from the
// start of the programs, the speed of a clock in thousandths of real time.
#pragma once

#include <plurix/sim/network.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plurix::sim {

enum class FaultKind : std::uint8_t {
  kCut,      ///< frames from `node` to `other` are lost (one way)
  kIsolate,  ///< `node` neither hears nor is heard
  kPause,    ///< `node` stands still, as under SIGSTOP
  kReplay,   ///< frames seen earlier are sent again to `node`, as they were
  kCrash,    ///< `node` loses all it has and starts again after the time
  kGarbage,  ///< random, cut-off, foreign and altered frames are sent to `node`
  kClock,    ///< the clock of `node` runs slow or fast; never backwards
  kDisk,     ///< the next operations of the PageServer's disk fail, some of them half done
};
inline constexpr std::size_t kFaultKinds = 8;

/// How often each kind of timed fault has happened, by FaultKind.
using FaultCounts = std::array<std::uint64_t, kFaultKinds>;

struct TimedFault {
  FaultKind kind = FaultKind::kPause;
  std::uint32_t node = 0;
  std::uint32_t other = 0;  ///< kCut only
  std::uint32_t at_us = 0;
  std::uint32_t for_us = 0;    ///< 0 for kReplay, kGarbage and kDisk
  std::uint32_t speed = 1000;  ///< kClock only: thousandths, at least 1

  friend bool operator==(const TimedFault&, const TimedFault&) = default;
};

struct FaultSchedule {
  LinkFaults links;
  std::vector<TimedFault> timed;

  /// Somebody crashes, so the cluster needs a PageServer to recover.
  bool has_crash() const { return has(FaultKind::kCrash); }

  /// The PageServer has a disk, and takes images on it.
  bool has_disk() const { return has(FaultKind::kDisk); }

  bool has(FaultKind kind) const;

  friend bool operator==(const FaultSchedule&, const FaultSchedule&) = default;
};

/// Where somebody crashes, no clock runs at more than twice or less than half its speed: recovery
/// counts on that (CoreConfig::lease).
void keep_clocks_within_the_lease(FaultSchedule& schedule);

std::string to_string(const FaultSchedule& schedule);

/// Reads what `to_string` wrote; nothing if the text is not of that form.
std::optional<FaultSchedule> parse_fault_schedule(std::string_view text);

/// Which faults a random schedule may contain. `parse` reads "all", "none", or names joined by
/// commas: loss, duplication, reordering, delay, corruption, partition, pause, hostile, clock,
/// crash, disk.
struct FaultMenu {
  bool loss = false;
  bool duplication = false;
  bool reordering = false;
  bool delay = false;
  bool corruption = false;
  bool partition = false;
  bool pause = false;
  bool hostile = false;
  bool clock = false;
  bool crash = false;
  bool disk = false;

  static FaultMenu all() noexcept {
    return {true, true, true, true, true, true, true, true, true, true, true};
  }
  static std::optional<FaultMenu> parse(std::string_view text);
  static constexpr std::string_view kNames =
      "loss, duplication, reordering, delay, corruption, partition, pause, hostile, clock, crash, "
      "disk";
};

/// A schedule for `nodes` nodes whose programs take about `length`, drawn from `prng`.
FaultSchedule random_schedule(const FaultMenu& menu, std::uint32_t nodes, Duration length,
                              Prng& prng);

}  // namespace plurix::sim

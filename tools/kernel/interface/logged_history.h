// What a machine has recorded of its transactions, as it stands in the machine's memory: the
// machine fills it (heap/history_log.h), and whoever has the memory of a machine that was killed
// finds it there. Plain data that refers to itself by the machine's addresses; an entry is written
// before it is counted.
#pragma once

#include <plurix/base/time.h>
#include <plurix/base/types.h>

#include <cstdint>

namespace plurix::kernel {

/// Two readings that belong together, up to `error`.
struct TimePair {
  Instant here;
  Instant host;
  Duration error{INT64_MAX};
};

/// What the host's clock shows when the machine's own shows something else.
struct HostClock {
  TimePair first;
  TimePair last;
  bool is_compared = false;  ///< twice, some time apart: it is known how fast the two go

  /// The host's reading that belongs to one of ours; ours before the clocks are compared.
  constexpr std::int64_t at(std::int64_t here_ns) const noexcept {
    constexpr int kRateBits = 22;
    if (!is_compared) return here_ns;
    const auto here = (last.here - first.here).ns;
    const auto passed = (last.host - first.host).ns;
    const auto rate = here > 0 ? (passed << kRateBits) / here : std::int64_t{1} << kRateBits;
    return first.host.ns + (((here_ns - first.here.ns) * rate) >> kRateBits);
  }

  /// How far `at` may be wrong.
  constexpr Duration error() const noexcept {
    constexpr std::int64_t kRateErrorPerMillion = 2;
    if (!is_compared) return {0};
    const auto lasted = (last.here - first.here).ns;
    const auto worse = first.error < last.error ? last.error : first.error;
    return {worse.ns + lasted / 1'000'000 * kRateErrorPerMillion + 1'000};
  }
};

struct LoggedOperation {
  std::int64_t value = 0;
  std::uint32_t key = 0;
  bool write = false;
};

enum class AttemptEnd : std::uint8_t { kCommitted, kAborted, kCancelled, kUnknown };

struct LoggedAttempt {
  std::uint64_t tx = 0;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint64_t commit_time = 0;
  std::uint32_t first = 0;  ///< operation
  std::uint32_t count = 0;
  std::uint32_t number = 0;  ///< 1, 2, … within the transaction
  Epoch epoch = 0;           ///< of the commit, else in which it began
  AttemptEnd end = AttemptEnd::kAborted;
  bool read_only = false;
  bool strict = false;
};

struct LoggedHistory {
  static constexpr std::uint64_t kMagic = 0x474f'4c58'4c50;  // "PLXLOG"

  std::uint64_t magic = kMagic;
  std::uint64_t attempts_at = 0;    ///< address of the first
  std::uint64_t operations_at = 0;  ///< address of the first
  std::uint64_t filed = 0;          ///< attempts of transactions that are over
  std::uint64_t running = 0;        ///< attempts with those of the running transaction
  std::uint32_t node = 0;
  std::uint32_t incarnation = 0;
  bool full = false;  ///< a limit was reached: what came later is not filed
  HostClock clock;    ///< of the times above
};

}  // namespace plurix::kernel

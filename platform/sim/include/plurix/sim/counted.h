// How often each fault and each rare path occurred in one run or many, by name, and which never
// did: a path that no run has taken is not tested.
#pragma once

#include <plurix/sim/run.h>

#include <string>
#include <string_view>
#include <vector>

namespace plurix::sim {

struct Counted {
  std::string_view name;  ///< a stable name: words joined by '_'
  std::uint64_t count = 0;
};

/// Everything that was counted in the runs added.
class Occurrences {
 public:
  void add(const RunResult& run);

  /// What the schedules have done to nodes, links and frames.
  std::vector<Counted> faults() const;

  /// What the protocol does only when something has gone wrong or been overtaken.
  std::vector<Counted> rare_paths() const;

  /// Frames dropped, by reason (`wire::DropReason`).
  std::vector<Counted> dropped_frames() const;

 private:
  CoreCounters counters_;
  NetworkCounters network_;
  FaultCounts faults_{};
};

/// "lost 12, duplicated 3; never: cut_off"
std::string in_words(const std::vector<Counted>& counted);

}  // namespace plurix::sim

// What a torture has done so far and what came of it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "child_node.h"
#include "hostile_sprayer.h"
#include "net_faults.h"
#include "run_verdict.h"
#include "torture_plan.h"

namespace plurix::tool {

/// Resident memory of processes (own_bytes), in bytes.
struct MemoryWatch {
  std::uint64_t node_warm = 0;    ///< largest node, after the first round of a fleet
  std::uint64_t node_end = 0;     ///< largest node, after the last round of a fleet
  std::int64_t node_growth = 0;   ///< largest difference of the two in one process
  std::uint64_t parent_warm = 0;  ///< this process, after its first fleet
  std::uint64_t parent_end = 0;

  std::int64_t parent_growth() const noexcept {
    return static_cast<std::int64_t>(parent_end) - static_cast<std::int64_t>(parent_warm);
  }
};

struct TortureCounts {
  double seconds = 0;
  std::uint64_t fleets = 0;
  std::uint64_t rounds = 0;
  std::uint64_t committed = 0;
  std::uint64_t read_only = 0;
  std::uint64_t aborted = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t attempts_checked = 0;
  std::uint64_t operations_checked = 0;
  std::uint64_t violations = 0;
  std::uint64_t stuck_nodes = 0;
  std::uint64_t most_restarts_fair = 0;
  std::uint64_t pauses = 0;
  std::map<std::string, std::uint64_t> by_workload;  ///< committed
  std::map<std::string, std::uint64_t> by_kind;      ///< nodes of each fault source and socket kind
  std::map<std::string, std::uint64_t> protocol;     ///< counters of all nodes (counters_json.h)
  sim::FaultCounters net;
  HostileCounters hostile;
  MemoryWatch memory;

  void add_round(const std::string& workload, const RunRecord& record, const RunVerdict& verdict,
                 bool fair);

  /// Once for each node, when its fleet has done its last round.
  void add_node(const NodeStatus& status);

  std::uint64_t net_faults() const noexcept;
  std::string words() const;
  std::string to_json(const TortureSettings& settings, int exit_code,
                      const std::string& verdict) const;
};

/// Resident memory of a process now that is its own: not program text, and not the heap, which is
/// shared memory of a known size and whose pages are taken as garbage comes and goes. 0 if the
/// process is gone.
std::uint64_t own_bytes(int pid);

/// "12.3 MB"
std::string megabytes(std::int64_t bytes);

}  // namespace plurix::tool

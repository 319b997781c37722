// What a torture does to its nodes, drawn from its seed: the same seed, the same plan. What comes
// of it is another matter; real processes meet it in another order each time.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/base/time.h>
#include <plurix/sim/faulty_transport.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plurix::tool {

/// Which faults there may be. The names are those of `plurix sim`.
struct TortureMenu {
  std::vector<std::string> net;  ///< of net_faults.h
  bool pause = false;            ///< processes are stopped and go on
  bool hostile = false;          ///< datagrams from outside

  static TortureMenu all();

  /// "all", "none", or names by comma. Empty if a name is none of them.
  static std::optional<TortureMenu> parse(const std::string& text);

  /// "loss, duplication, …"
  static std::string names();
};

struct TortureSettings {
  double minutes = 1;
  std::size_t nodes = 5;
  std::uint64_t transactions = 0;  ///< ends early when so many are committed; 0: only time ends it
  std::uint64_t seed = 1;
  std::size_t first_fleet = 0;
  double round_seconds = 3;
  double patience_seconds = 30;  ///< a node that makes no progress for so long is stuck
  std::string faults = "all";
  std::string workload = "all";
  bool kill = false;  ///< nodes and the PageServer of clusters with a store (kill_torture.h)
  bool json = false;
};

/// One cluster of processes, which does every workload once.
struct FleetPlan {
  struct Node {
    std::string fault_source;
    std::string receive;
    sim::FaultOptions faults;
    std::uint64_t seed = 0;
  };
  std::string strategy;
  std::vector<Node> nodes;
  std::vector<std::string> workloads;
  std::uint64_t seed = 0;  ///< of what is drawn while it works
};

FleetPlan plan_fleet(const TortureSettings& settings, std::size_t fleet);

/// One process is stopped for a while.
struct Pause {
  Duration after;  ///< the end of the pause before
  std::size_t node = 0;
  Duration length;
};

/// Mostly shorter than any timer of the protocol, sometimes longer than most.
Pause draw_pause(Prng& prng, std::size_t nodes);

}  // namespace plurix::tool

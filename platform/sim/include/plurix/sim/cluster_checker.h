// Judges a whole cluster while it runs: after every slice of every machine the checkers of
// `checkers/` look at all nodes and at what is on the wire, and at the end, when nothing is under
// way, at every page.
#pragma once

#include <plurix/sim/checkers/commit_times.h>
#include <plurix/sim/checkers/one_owner.h>
#include <plurix/sim/checkers/one_token.h>

namespace plurix::sim {

class Network;

class ClusterChecker {
 public:
  /// `network` (may be null) carries the grants; it and the nodes outlive the checker.
  ClusterChecker(std::uint32_t heap_pages, Network* network);

  /// Nodes are given once, in order.
  void add(const ProtocolCore& node) { nodes_.push_back(born(node)); }

  /// Node `index` starts a new life, with empty memory.
  void replace(std::size_t index, const ProtocolCore& node) { nodes_[index] = born(node); }

  /// Node `index` has stopped for good; what it had is gone.
  void remove(std::size_t index) { nodes_[index].alive = false; }

  /// Node `index` has done something.
  void check_after(std::size_t index);

  /// Nothing is under way: every node has applied everything.
  void check_at_rest();

  /// The newest epoch any node is in.
  Epoch epoch() const { return epoch_; }

  CommitTime newest() const { return commits_.newest(); }

  /// Of each page, which commit up to `until` was the last to write it; 0: none.
  std::vector<CommitTime> last_writes(CommitTime until) const {
    return commits_.last_writes(until);
  }
  std::uint64_t checks() const { return checks_; }

 private:
  struct Watched {
    const ProtocolCore* core;
    CommitTime seen;
    bool joined;
    bool alive;
    Epoch epoch;
    std::uint32_t incarnation;
    std::uint64_t rollbacks;
  };

  static Watched born(const ProtocolCore& node) {
    const auto& core = node.core();
    return {&node, CommitTime{}, false, true, 0, core.incarnation, core.counters.rollbacks};
  }

  void follow_epoch(Watched& node);

  void check_token();
  void learn_records(Watched& node);
  void learn(const ProtocolCore& node, CommitTime time);
  std::span<const NodeState> observe_all();

  Network* network_;
  std::vector<Watched> nodes_;
  CommitTimesChecker commits_;
  OwnerChecker owners_;
  std::vector<NodeState> states_;      ///< room for `observe_all`
  std::vector<GrantInFlight> grants_;  ///< room for `check_token`
  Epoch epoch_ = 0;
  std::uint64_t checks_ = 0;
};

}  // namespace plurix::sim

// The invariants that need to see all nodes at once, checked after every slice of every machine:
// at most one token, at most one owner of a page at a commit time, dense commit times with one
// record each, the same record everywhere; and at rest, copies equal to what their owner has.
#pragma once

#include <plurix/dsm/protocol.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace plurix::sim {

/// An invariant of DESIGN section 3 does not hold; `what()` says which and where, in words.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ClusterChecker {
 public:
  /// Nodes are given once, in order; they outlive the checker.
  void add(const ProtocolCore& node) { nodes_.push_back({&node, CommitTime{}, false}); }

  /// Node `index` starts a new life, with empty memory.
  void replace(std::size_t index, const ProtocolCore& node) {
    nodes_[index] = {&node, CommitTime{}, false};
  }

  /// Node `index` has done something.
  void check_after(std::size_t index);

  /// Nothing is under way: every node has applied everything.
  void check_at_rest() const;

  CommitTime newest() const { return {records_.size()}; }
  std::uint64_t checks() const { return checks_; }

 private:
  struct Watched {
    const ProtocolCore* core;
    CommitTime seen;
    bool joined;
  };
  struct Record {
    NodeId writer = kNoNode;
    std::vector<std::byte> bytes;  ///< as on the wire
  };

  void check_token() const;
  void learn_records(std::size_t index);
  void learn(std::size_t index, CommitTime time);
  void check_owners(std::size_t index) const;

  std::vector<Watched> nodes_;
  std::vector<Record> records_;                                     ///< by commit time, from 1
  std::vector<std::vector<std::pair<CommitTime, NodeId>>> owners_;  ///< by page: who, since when
  std::uint64_t checks_ = 0;
};

}  // namespace plurix::sim

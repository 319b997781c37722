// P2: at most one owner per page at any commit time.
//
// Records say who owns what since when: the writer of the last commit up to a time that wrote or
// adopted the page. A node that stands at that time and owns the page must be that writer, wherever
// the others stand now.
#pragma once

#include <plurix/sim/checkers/commit_times.h>
#include <plurix/sim/checkers/node_state.h>

#include <utility>

namespace plurix::sim {

class OwnerChecker {
 public:
  /// `record` was committed.
  void learn(const CommittedRecord& record);

  /// A new epoch began from `time`: what was committed after it is undone.
  void undo_after(CommitTime time);

  /// It began from the image of `time`: every page in it is the PageServer's.
  void go_back_to(CommitTime time, NodeId page_server);

  /// Throws Violation if the node owns a page that is another's at its commit time.
  void check(const NodeState& node) const;

  /// When everybody stands at the same time: a page that was ever written has an owner among the
  /// members.
  void check_nothing_lost(std::span<const NodeState> nodes) const;

 private:
  using Ownership = std::pair<CommitTime, NodeId>;  ///< since when, who

  NodeId owner_at(PageIndex page, CommitTime time) const;

  std::vector<std::vector<Ownership>> owners_;  ///< by page, in order of time
};

}  // namespace plurix::sim

// T1, P4: when nothing is under way, every member has applied everything, and every copy of a page
// is byte for byte what its owner has.
#pragma once

#include <plurix/sim/checkers/node_state.h>

namespace plurix::sim {

/// P4: no member lags behind `newest`.
void check_all_applied(std::span<const NodeState> nodes, CommitTime newest);

/// T1: copies are equal. No attempt is running on any of the nodes.
void check_equal_copies(std::span<const NodeState> nodes);

}  // namespace plurix::sim

// Memory is bounded: every queue, log and set of a node stays within the limit it was built with.
#pragma once

#include <plurix/sim/checkers/node_state.h>

#include <array>

namespace plurix::sim {

/// How full something is.
struct Usage {
  const char* what = "";
  std::size_t used = 0;
  std::size_t limit = 0;
};

/// Everything in a node that grows and shrinks.
std::array<Usage, 7> usage_of(const ProtocolCore& node);

/// Throws Violation at the first that is beyond its limit.
void check_bounded(NodeId node, std::span<const Usage> usage);

}  // namespace plurix::sim

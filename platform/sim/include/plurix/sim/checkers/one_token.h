// P1: at most one token per epoch, in a node or on the wire.
//
// A grant under way is the token as long as its receiver would take it: while the receiver is in
// the life and the epoch it was sent to and has seen no grant of that number. Copies of one grant
// are one token; later copies are ignored by whoever has taken the first.
#pragma once

#include <plurix/sim/checkers/node_state.h>

#include <optional>

namespace plurix::sim {

/// A TokenGrant that was sent and has not been looked at.
struct GrantInFlight {
  ClusterId cluster = 0;
  Epoch epoch = 0;
  NodeId receiver = kNoNode;
  std::uint32_t receiver_incarnation = 0;
  std::uint32_t number = 0;

  friend bool operator==(const GrantInFlight&, const GrantInFlight&) = default;
};

/// The grant that `frame` carries; nothing if it is another message or would be dropped.
std::optional<GrantInFlight> read_grant(Bytes frame);

/// Throws Violation if two nodes hold the token, if one holds it while a grant is under way, or if
/// two different grants are.
void check_one_token(std::span<const NodeState> nodes, std::span<const GrantInFlight> grants);

}  // namespace plurix::sim

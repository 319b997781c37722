#include <plurix/sim/checkers/node_state.h>

namespace plurix::sim {

NodeState observe(const ProtocolCore& node) {
  const auto& core = node.core();
  NodeState state;
  state.self = core.self;
  state.incarnation = core.incarnation;
  state.epoch = core.epoch;
  state.cluster = core.cluster;
  state.member = core.member;
  state.frozen = core.frozen();
  state.in_service = core.in_service();
  state.applied = core.applied;
  state.holds_token = node.token().held();
  state.token_number = node.token().number();
  state.pages = node.directory().states();
  state.frames = node.directory().frame(0).data();
  return state;
}

}  // namespace plurix::sim

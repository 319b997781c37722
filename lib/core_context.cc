#include <plurix/dsm/core_context.h>

namespace plurix {

void CoreContext::emit(Action action, NodeId receiver, wire::MessageType type, Bytes body,
                       Bytes payload) noexcept {
  const auto head = actions.reserve(sizeof(wire::FrameHeader) + body.size());
  if (head.empty()) {
    ++counters.actions_dropped;
    return;
  }
  wire::FrameHeader header;
  header.type = type;
  header.epoch = epoch;
  header.cluster = cluster;
  header.commit_time = applied;
  header.sender = self;
  header.receiver = receiver;
  header.incarnation = incarnation;
  if (receiver < kMaxNodes) header.receiver_incarnation = incarnation_of[receiver];
  wire::NoAuth{}.seal(header, body, payload);
  wire::finish_frame(header, body, payload);
  std::memcpy(head.data(), &header, sizeof header);
  if (!body.empty()) std::memcpy(head.data() + sizeof header, body.data(), body.size());
  action.head = head;
  action.payload = payload;
  act(action);
}

}  // namespace plurix

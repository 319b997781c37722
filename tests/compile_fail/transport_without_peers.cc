// A transport that sends and receives but does not know whom: the compiler names that facet.
// expect: KnowsPeers
#include <plurix/concepts/transport.h>

struct Wire {
  void send(plurix::NodeId, plurix::Bytes, plurix::Bytes) noexcept {}
  void broadcast(plurix::Bytes, plurix::Bytes) noexcept {}
  void send_to(const plurix::Endpoint&, plurix::Bytes, plurix::Bytes) noexcept {}
  std::size_t poll(plurix::FrameSink) noexcept { return 0; }
  void wait(plurix::Instant) noexcept {}
  plurix::Endpoint local_endpoint() const noexcept { return {}; }
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  void set_peer(plurix::NodeId, const plurix::Endpoint&) noexcept {}
  void remove_peer(plurix::NodeId) noexcept {}
#endif
};
static_assert(plurix::Transport<Wire>);

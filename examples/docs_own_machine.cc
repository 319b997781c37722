// docs/api.md: a node on a machine of one's own. This one has memory without protection, no network
// and a clock that counts its readings: the least that a node can stand on.
#include <plurix/commit/first_wins.h>
#include <plurix/node.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace plurix;

class PlainMemory {
 public:
  explicit PlainMemory(const HeapGeometry& geometry) : bytes_(geometry.bytes()) {}

  std::byte* view() const noexcept { return bytes_.data(); }
  std::byte* frames() const noexcept { return bytes_.data(); }  // no second mapping
  void protect(PageIndex, std::uint32_t, Rights) noexcept {}    // nothing to set
  bool traps() const noexcept { return false; }                 // so Ref checks each access
  void on_fault(FaultHandler) noexcept {}                       // and none is reported

 private:
  mutable std::vector<std::byte> bytes_;
};
static_assert(FaultSource<PlainMemory>);

struct NoNetwork {
  void send(NodeId, Bytes, Bytes) noexcept {}
  void broadcast(Bytes, Bytes) noexcept {}
  void send_to(const Endpoint&, Bytes, Bytes) noexcept {}
  std::size_t poll(FrameSink) noexcept { return 0; }
  void wait(Instant) noexcept {}
  void set_peer(NodeId, const Endpoint&) noexcept {}
  void remove_peer(NodeId) noexcept {}
  Endpoint local_endpoint() const noexcept { return {}; }
};
static_assert(Transport<NoNetwork>);

struct Ticks {
  mutable std::int64_t readings = 0;
  Instant now() const noexcept { return {++readings}; }
};
static_assert(Clock<Ticks>);

int main() {
  NodeConfig config;
  config.core.geometry.pages = 64;
  config.core.shadow_pages = 16;
  PlainMemory memory(config.core.geometry);
  NoNetwork network;
  Ticks clock;
  NullTraceSink trace;
  std::vector<std::byte> storage(ProtocolCore::storage_needed(config.core));
  Node<PlainMemory, NoNetwork, FirstWins, Ticks> node(config, memory, network, clock, trace,
                                                      storage);
  node.found();
  for (int i = 0; i < 3; ++i) {
    node.run([](Transaction& t) { ++*t.root<int>("counter").mut(); });
  }
  const int counter = node.run([](Transaction& t) { return *t.root<int>("counter"); });
  std::printf("counter %d at commit time %lu\n", counter,
              static_cast<unsigned long>(node.commit_time().value));
  return counter == 3 ? EXIT_SUCCESS : EXIT_FAILURE;
}

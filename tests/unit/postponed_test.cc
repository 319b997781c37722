// What a node puts off until the application goes on.
#include "support/lone_node.h"

#include <gtest/gtest.h>
#include <functional>

namespace plurix::testing {
namespace {

/// Closes pages together, which takes so long that something else may happen meanwhile.
struct SlowlyClosed : PlainMemory {
  using PlainMemory::PlainMemory;
  void close_later(PageIndex, std::uint32_t) noexcept {}
  void close_now() noexcept {
    if (auto happen = std::exchange(meanwhile, nullptr)) happen();
  }
  std::function<void()> meanwhile;
};
static_assert(ClosesTogether<SlowlyClosed>);

struct CountingNetwork : NoNetwork {
  std::size_t poll(FrameSink) noexcept { return ++polls, 0; }
  std::size_t polls = 0;
};

TEST(Postponed, AnInterruptWhilePagesAreClosedIsServedBeforeTheApplicationGoesOn) {
  NodeConfig config;
  config.core.geometry.pages = 256;
  SlowlyClosed memory(config.core.geometry);
  CountingNetwork network;
  Ticks clock;
  NullTraceSink trace;
  std::vector<std::byte> storage(ProtocolCore::storage_needed(config.core));
  Node<SlowlyClosed, CountingNetwork, FirstWins, Ticks> node(config, memory, network, clock, trace,
                                                             storage);
  node.found();
  std::size_t polls_before = 0;
  memory.meanwhile = [&] {
    polls_before = network.polls;
    EXPECT_EQ(node.on_interrupt(false), FaultVerdict::kResume);
    EXPECT_EQ(network.polls, polls_before);
  };
  node.run([&](Transaction&) {
    EXPECT_EQ(memory.meanwhile, nullptr);
    EXPECT_GT(network.polls, polls_before);
  });
}

}  // namespace
}  // namespace plurix::testing

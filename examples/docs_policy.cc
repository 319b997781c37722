// docs/api.md: a commit strategy of one's own, on five simulated nodes and in a hosted one.
#include <plurix/posix/node.h>
#include <plurix/sim/cluster.h>

#include <cstdio>
#include <cstdlib>

using plurix::posix::Founding;

struct Counter {
  long value;
};

// Whoever has applied the least asked longest ago.
struct OldestFirst {
  static constexpr std::uint32_t kHoldAfter = 8;

  plurix::NodeId grant(std::span<const plurix::TokenRequest> waiting,
                       plurix::CommitTime) const noexcept {
    auto oldest = waiting.front();
    for (const auto& request : waiting) {
      if (request.time < oldest.time) oldest = request;
    }
    return oldest.node;
  }
};
static_assert(plurix::CommitStrategy<OldestFirst>);

void count(auto& node, int times) {
  for (int i = 0; i < times; ++i) {
    node.run([](plurix::Transaction& t) { ++t.root<Counter>("counter").mut()->value; });
  }
}

int main() {
  plurix::sim::Cluster<OldestFirst> cluster({.nodes = 5, .seed = 42, .faults = {.loss = 50'000}});
  cluster.run([](auto& node, std::size_t) { count(node, 100); });  // throws at a violation
  std::uint32_t most_restarts = 0;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto& counters = cluster.node(i).counters();
    if (counters.most_restarts > most_restarts) most_restarts = counters.most_restarts;
  }
  std::printf("five simulated nodes: no violation, at most %u restarts\n", most_restarts);

  plurix::posix::BasicNode<OldestFirst> here{
      {.cluster = "policy", .bind = "127.0.0.1:0", .found = Founding::kAlways}};
  count(here, 100);
  std::printf("one hosted node: commit time %lu\n",
              static_cast<unsigned long>(here.commit_time().value));
  return most_restarts <= OldestFirst::kHoldAfter ? EXIT_SUCCESS : EXIT_FAILURE;
}

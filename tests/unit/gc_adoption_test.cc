// What nodes that are gone have left to collect is taken over by the member of the lowest number:
// their queues, their suspended candidates, and objects that they have made and nobody looked at.
#include <gtest/gtest.h>
#include <plurix/gc/collector.h>
#include <plurix/heap/verify.h>
#include <plurix/sim/cluster.h>

#include <vector>

#include "support/lone_collector.h"

namespace plurix::testing {
namespace {

constexpr std::uint32_t kPages = 256;

struct Vertex {
  long value;
  Link<Vertex> next;
};

struct Root {
  Link<Vertex> kept;
  Link<Vertex> dropped;
};

Ref<Vertex> make_ring(Transaction& t, int vertices) {
  const auto first = t.make<Vertex>();
  auto last = first;
  for (int i = 1; i < vertices; ++i) {
    const auto next = t.make<Vertex>(i);
    last.mut()->next = next;
    last = next;
  }
  last.mut()->next = first;
  return first;
}

/// Two nodes; as far as the collector of the first is concerned, the second is gone.
class Departure {
 public:
  /// `live(node, collector)` is what the second does, with a collector of its own.
  template <class Live>
  explicit Departure(Live live) {
    sim::ClusterOptions options;
    options.nodes = 2;
    options.seed = 3;
    options.heap_pages = kPages;
    sim::Cluster<Fair> cluster(options);
    cluster.run([&](auto& node, std::size_t index) {
      if (index == 0) {
        while (!gone_) node.serve(node.now() + milliseconds(1));
        inherit(node);
        over_ = true;
        return;
      }
      OwnedCollector own(node, kPages);
      live(node, own);
      garbage_before_ = garbage(node);
      gone_ = true;
      while (!over_) node.serve(node.now() + milliseconds(1));
    });
  }

  std::uint64_t garbage_before() const { return garbage_before_; }
  std::uint64_t garbage_after() const { return garbage_after_; }
  const HeapReport& report() const { return report_; }

 private:
  template <class Node>
  static std::uint64_t garbage(Node& node) {
    return node.run([](Transaction& t) { return reachable(t).garbage; });
  }

  template <class Node>
  void inherit(Node& node) {
    std::vector<std::uint64_t> storage(gc::Collector::storage_needed(kPages) / 8);
    gc::Collector collector(kPages, std::as_writable_bytes(std::span(storage)));
    const gc::Members alone{std::uint64_t{1} << node.id(), node.id()};
    bool more = true;
    for (int steps = 0; more && steps < 10'000; ++steps) {
      node.run([&](Transaction& t) {
        more = collector.step(t, gc::Occasion::kIdle, alone, node.protocol().core().epoch, {});
      });
    }
    EXPECT_FALSE(more);
    garbage_after_ = garbage(node);
    report_ = node.run([](Transaction& t) { return verify_heap(t); });
  }

  bool gone_ = false;
  bool over_ = false;
  std::uint64_t garbage_before_ = 0;
  std::uint64_t garbage_after_ = 0;
  HeapReport report_;
};

void expect_only_garbage_went(const Departure& departure, std::uint64_t garbage) {
  EXPECT_EQ(departure.garbage_before(), garbage);
  EXPECT_EQ(departure.garbage_after(), 0u);
  EXPECT_EQ(to_words(departure.report()), "");
}

template <class Node>
void drop(Node& node) {
  node.run([](Transaction& t) { t.root<Root>("root").mut()->dropped = nullptr; });
}

template <class Node, class Make>
void build(Node& node, Make make) {
  node.run([&](Transaction& t) {
    t.root<Root>("root").mut()->kept = make_ring(t, 5);
    t.root<Root>("root").mut()->dropped = make(t);
  });
}

TEST(CollectingAfterADeparture, TakesTheQueueOver) {
  const Departure departure([](auto& node, auto& collector) {
    // Alone: whoever looks at its neighbours does not come by it.
    build(node, [](Transaction& t) { return t.make<Vertex>(); });
    while (collector->collect()) {
    }
    drop(node);
  });
  expect_only_garbage_went(departure, 1);
}

TEST(CollectingAfterADeparture, TakesSuspendedCandidatesOver) {
  const Departure departure([](auto& node, auto& collector) {
    build(node, [](Transaction& t) { return make_ring(t, 1'000); });
    while (collector->collect()) {
    }
    drop(node);
    const gc::Budget little{.work = 600, .pages_written = 6};
    while (collector->collector().counters().suspended == 0) {
      ASSERT_TRUE(collector->collect(gc::Occasion::kIdle, little));
    }
  });
  expect_only_garbage_went(departure, 1'000);
}

TEST(CollectingAfterADeparture, FindsObjectsThatNobodyHasLookedAt) {
  const Departure departure([](auto& node, auto&) {
    node.run([](Transaction& t) {
      t.root<Root>("root").mut()->kept = make_ring(t, 5);
      (void)make_ring(t, 300);
    });
  });
  expect_only_garbage_went(departure, 300);
}

}  // namespace
}  // namespace plurix::testing

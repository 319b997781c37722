// Node::bring: pages that nobody writes any more come together, outside attempts too.
#include <gtest/gtest.h>
#include <plurix/sim/cluster.h>

namespace plurix::testing {
namespace {

constexpr PageIndex kFirst = 40;
constexpr std::uint32_t kCount = 24;

struct Page {
  std::uint64_t words[kPageSize / sizeof(std::uint64_t)];
};

void write_pages(Transaction& t) {
  for (PageIndex page = kFirst; page < kFirst + kCount; ++page) {
    t.writing<Page>(heap::offset_of(page))->words[7] = page;
  }
}

/// What node 1 saw when it brought the pages that node 0 had written.
struct Brought {
  std::uint64_t requests = 0;
  Duration lasted;
  bool right = true;
};

template <class Node>
Brought bring(Node& node, std::uint32_t at_once) {
  const auto& core = node.protocol().core();
  while (node.protocol().directory().never_written(kFirst)) {
    node.serve(node.now() + milliseconds(1));
  }
  const auto before = core.counters.fetches;
  const auto begin = node.now();
  Brought brought{.right = node.bring(kFirst, kCount, at_once)};
  brought.lasted = node.now() - begin;
  brought.requests = core.counters.fetches - before;
  for (PageIndex page = kFirst; page < kFirst + kCount; ++page) {
    std::uint64_t word = 0;
    std::memcpy(&word, node.protocol().directory().frame(page).data() + 7 * sizeof word,
                sizeof word);
    brought.right = brought.right && word == page;
  }
  return brought;
}

Brought bring_in_cluster(std::uint32_t at_once, const sim::LinkFaults& faults) {
  sim::Cluster<> cluster({.nodes = 2, .seed = 5, .faults = faults});
  Brought brought;
  cluster.run([&](auto& node, std::size_t index) {
    if (index == 0) return node.run(write_pages);
    brought = bring(node, at_once);
  });
  return brought;
}

TEST(BringPages, AsksForEachPageOnce) {
  for (const std::uint32_t at_once : {1u, 6u, 100u}) {
    const auto brought = bring_in_cluster(at_once, {});
    EXPECT_TRUE(brought.right);
    EXPECT_EQ(brought.requests, kCount) << at_once << " at once";
  }
}

TEST(BringPages, IsThreeTimesFasterTogetherThanOneByOne) {
  const auto one_by_one = bring_in_cluster(1, {}).lasted;
  const auto together = bring_in_cluster(6, {}).lasted;
  EXPECT_LE(3 * together.ns, one_by_one.ns);
}

TEST(BringPages, GetsThemAllWhenFramesAreLost) {
  const auto brought = bring_in_cluster(6, {.loss = 200'000});
  EXPECT_TRUE(brought.right);
}

TEST(BringPages, DoesNotCountAsReading) {
  sim::Cluster<> cluster({.nodes = 2, .seed = 6});
  cluster.run([&](auto& node, std::size_t index) {
    if (index == 0) return node.run(write_pages);
    while (node.protocol().directory().never_written(kFirst)) {
      node.serve(node.now() + milliseconds(1));
    }
    node.run([&](Transaction&) {
      EXPECT_TRUE(node.bring(kFirst, kCount, 6));
      EXPECT_TRUE(node.protocol().attempt().read_set().empty());
    });
  });
}

}  // namespace
}  // namespace plurix::testing

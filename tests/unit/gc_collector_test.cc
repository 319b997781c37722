#include <plurix/heap/candidates.h>
#include <plurix/heap/relocate.h>

#include <gtest/gtest.h>

#include "support/lone_collector.h"

namespace plurix::testing {
namespace {

struct Leaf {
  long value;
};

struct Vertex {
  long value;
  Link<Vertex> edges[2];
  Link<Leaf> leaf;
};

/// A cycle by itself.
struct Hoop {
  Link<Hoop> self;
  Link<Array<Link<Vertex>>> table;
  Link<Vertex> row;
};

struct Root {
  Link<Hoop> hoop;
  Link<Vertex> first;
  Link<Vertex> second;
  Link<Vertex> weak;
  Link<Array<Link<Vertex>>> table;
};

constexpr gc::Budget kSmall{.work = 300, .pages_written = 3};

/// `count` vertices one after the other; the last leads to the first if it is a ring.
Ref<Vertex> make_row(Transaction& t, int count, bool ring) {
  const auto first = t.make<Vertex>();
  auto last = first;
  for (int i = 1; i < count; ++i) {
    const auto next = t.make<Vertex>(i);
    last.mut()->edges[0] = next;
    last = next;
  }
  if (ring) last.mut()->edges[0] = first;
  return first;
}

class Collecting : public ::testing::Test {
 protected:
  template <class Body>
  void run(Body body) {
    here_.node()->run([&](Transaction& t) { body(t, t.root<Root>("root")); });
  }
  void build_rings(int rings, int vertices) {
    run([&](Transaction& t, Ref<Root> root) {
      const auto table = t.make_array<Link<Vertex>>(static_cast<std::size_t>(rings));
      root.mut()->table = table;
      for (std::size_t i = 0; i < table.size(); ++i) *table[i].mut() = make_row(t, vertices, true);
    });
  }
  void expect_all_collected(const gc::Budget& budget = {}) {
    EXPECT_GT(here_.collect_all(budget), 0);
    EXPECT_EQ(here_.garbage(), 0u);
    const auto report = here_.node().verify();
    EXPECT_TRUE(report.ok()) << to_words(report);
    EXPECT_EQ(report.unlinked, 0u);
  }
  std::uint64_t freed() { return here_.counters().freed; }

  LoneCollector here_{2048};
};

TEST_F(Collecting, FreesAnObjectThatLosesItsLastLink) {
  run([](Transaction& t, Ref<Root> root) { root.mut()->first = t.make<Vertex>(); });
  here_.collect_all();
  EXPECT_EQ(freed(), 0u);
  run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  expect_all_collected();
  EXPECT_EQ(freed(), 1u);
}

TEST_F(Collecting, FreesAnObjectThatWasNeverLinked) {
  run([](Transaction& t, Ref<Root>) { (void)t.make<Vertex>(); });
  expect_all_collected();
  EXPECT_EQ(freed(), 1u);
}

TEST_F(Collecting, FreesACycleThatWasNeverLinkedFromOutside) {
  run([](Transaction& t, Ref<Root>) { (void)make_row(t, 5, true); });
  expect_all_collected();
  EXPECT_EQ(freed(), 5u);
}

TEST_F(Collecting, FreesWhatOnlyAFreedObjectHasLinkedTo) {
  run([](Transaction& t, Ref<Root> root) { root.mut()->first = make_row(t, 1000, false); });
  run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  expect_all_collected();
  EXPECT_EQ(freed(), 1000u);
}

TEST_F(Collecting, FreesARingThatNothingLeadsTo) {
  run([](Transaction& t, Ref<Root> root) { root.mut()->first = make_row(t, 10, true); });
  run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  expect_all_collected();
  EXPECT_EQ(freed(), 10u);
  EXPECT_EQ(here_.counters().cycles, 1u);
}

TEST_F(Collecting, KeepsARingThatHasLostOneOfTwoLinks) {
  run([](Transaction& t, Ref<Root> root) {
    root.mut()->first = make_row(t, 10, true);
    root.mut()->second = root->first->edges[0];
  });
  run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  expect_all_collected();
  EXPECT_EQ(freed(), 0u);
  EXPECT_GT(here_.counters().alive, 0u);
}

TEST_F(Collecting, FreesALargeObjectAndWhatItsLinksLeadTo) {
  build_rings(300, 3);
  run([](Transaction&, Ref<Root> root) { root.mut()->table = nullptr; });
  expect_all_collected();
  EXPECT_EQ(freed(), 901u);
}

struct Cell {
  long values[20];
  Link<Array<Cell>> table;
  Link<Vertex> vertex;
};

struct TableRoot {
  Link<Array<Cell>> table;
  Link<Vertex> vertex;
};

/// A large array that leads to itself and to a vertex from its cells `at`.
void make_table(Transaction& t, std::initializer_list<std::size_t> at) {
  const auto root = t.root<TableRoot>("tables");
  const auto table = t.make_array<Cell>(300);
  root.mut()->table = table;
  root.mut()->vertex = t.make<Vertex>();
  for (const auto i : at) {
    table[i].mut()->table = table;
    table[i].mut()->vertex = root->vertex;
  }
}

TEST_F(Collecting, KnowsTheObjectAroundALinkOnAnyOfItsPages) {
  static_assert(300 * sizeof(Cell) > 14 * kPageSize);
  for (const std::size_t at : {0u, 40u, 150u, 299u}) {
    run([&](Transaction& t, Ref<Root>) {
      make_table(t, {at, 299 - at});
      t.replace("other", t.root<TableRoot>("tables")->table.ref());
      make_table(t, {299 - at, at});  // beside it, so that one is not taken for the other
    });
    here_.collect_all();
    const auto before = freed();
    run([](Transaction& t, Ref<Root>) { t.root<TableRoot>("tables").mut()->vertex = nullptr; });
    expect_all_collected();
    EXPECT_EQ(freed(), before) << at;  // the table leads there
    run([](Transaction& t, Ref<Root>) { t.root<TableRoot>("tables").mut()->table = nullptr; });
    expect_all_collected();
    EXPECT_EQ(freed(), before + 2) << at;
    run([](Transaction& t, Ref<Root>) { t.remove_name("other"); });
    expect_all_collected();
    EXPECT_EQ(freed(), before + 4) << at;
  }
}

TEST_F(Collecting, DoesNotTakeAnObjectForOneThatStoodThereBefore) {
  PageIndex first = 0;
  run([&](Transaction& t, Ref<Root>) {
    make_table(t, {299});
    first = page_of(t.root<TableRoot>("tables")->table.target());
  });
  here_.collect_all();
  run([](Transaction& t, Ref<Root>) {
    t.root<TableRoot>("tables").mut()->vertex = nullptr;  // now it is known what is around a cell
  });
  here_.collect_all();
  run([](Transaction& t, Ref<Root>) { t.root<TableRoot>("tables").mut()->table = nullptr; });
  expect_all_collected();
  run([&](Transaction& t, Ref<Root>) {
    PageIndex page = 0;
    for (int i = 0; page != first; ++i) {  // until its place is used again, by a smaller one
      ASSERT_LT(i, 1'000);
      const auto smaller = t.make_array<Cell>(100);
      page = page_of(smaller.offset());
      t.replace("smaller", smaller);
    }
    const auto behind = t.make_array<Cell>(100);
    ASSERT_EQ(page_of(behind.offset()), first + heap::pages_for(100 * sizeof(Cell) + 8));
    const auto root = t.root<TableRoot>("tables");
    root.mut()->table = behind;
    root.mut()->vertex = t.make<Vertex>();
    behind[3].mut()->vertex = root->vertex;
  });
  run([](Transaction& t, Ref<Root>) {
    t.remove_name("smaller");  // what is behind it does not go with it
    t.root<TableRoot>("tables").mut()->vertex = nullptr;
  });
  expect_all_collected();
  run([](Transaction& t, Ref<Root>) {
    EXPECT_TRUE(t.root<TableRoot>("tables")->table.ref()[3]->vertex);
  });
}

TEST_F(Collecting, FreesARingTooLargeForOneTransaction) {
  run([](Transaction& t, Ref<Root> root) { root.mut()->first = make_row(t, 3000, true); });
  run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  expect_all_collected(kSmall);
  EXPECT_EQ(freed(), 3000u);
  EXPECT_EQ(here_.counters().trials_freed, 1u);
}

TEST_F(Collecting, KeepsALargeRingThatARootLeadsTo) {
  run([](Transaction& t, Ref<Root> root) {
    root.mut()->first = make_row(t, 3000, true);
    auto middle = root->first.ref();
    for (int i = 0; i < 1500; ++i) middle = middle->edges[0];
    root.mut()->second = middle;
  });
  run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  expect_all_collected({.work = 3'000, .pages_written = 16});
  EXPECT_EQ(freed(), 0u);
}

TEST_F(Collecting, ClearsWeakLinksToWhatItFrees) {
  for (const int count : {1, 10, 3000}) {
    run([&](Transaction& t, Ref<Root> root) {
      root.mut()->first = make_row(t, count, true);
      root.mut()->weak.assign_weak(root->first);
    });
    run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
    expect_all_collected(kSmall);
    run([&](Transaction&, Ref<Root> root) { EXPECT_FALSE(root->weak) << count; });
  }
}

TEST_F(Collecting, FreesPopularObjects) {
  run([](Transaction& t, Ref<Root> root) {
    root.mut()->first = make_row(t, 10, true);
    t.expect_many_links(root->first.ref());
    t.expect_many_links(root->first->edges[0].ref());
  });
  run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  expect_all_collected();
  EXPECT_EQ(freed(), 10u);
}

TEST_F(Collecting, KeepsABoundInEachStep) {
  build_rings(200, 20);
  run([](Transaction&, Ref<Root> root) { root.mut()->table = nullptr; });
  std::uint64_t most = 0;
  for (bool more = true; more;) {
    const auto before = here_.counters().work;
    more = here_.collector().collect(gc::Occasion::kIdle, kSmall);
    most = std::max(most, here_.counters().work - before);
  }
  EXPECT_EQ(here_.garbage(), 0u);
  EXPECT_LT(most, 10u * kSmall.work);
}

TEST_F(Collecting, DoesWorkForCandidatesNotForTheHeap) {
  build_rings(500, 20);
  here_.collect_all();
  const auto before = here_.counters().work;
  run([](Transaction&, Ref<Root> root) { root.mut()->table.ref()[7].mut()->clear(); });
  here_.collect_all();
  EXPECT_EQ(here_.counters().freed, 20u);
  EXPECT_GT(here_.counters().work - before, 20u);
  EXPECT_LT(here_.counters().work - before, 2'000u + 4u * 2048u);  // and empty pages are looked for
}

TEST_F(Collecting, FindsWhatAFullHeapCouldNotQueue) {
  LoneCollector full(40);
  const auto table = [](Transaction& t) { return t.root<Root>("root")->table.ref(); };
  full.node()->run([](Transaction& t) {
    t.root<Root>("root").mut()->table = t.make_array<Link<Vertex>>(2'000);
  });
  std::size_t made = 0;
  const auto make = [&](Transaction& t) { *table(t)[made].mut() = t.make<Vertex>(); };
  while (full.node()->try_run(make).committed()) ++made;
  ASSERT_LT(made, 2'000u);
  ASSERT_GT(full.collect_all(), 0);  // of what is full now, nothing will be looked at anyway
  EXPECT_EQ(full.counters().sweeps, 0u);
  full.node()->run([&](Transaction& t) {
    for (std::size_t i = 0; i < made; ++i) table(t)[i].mut()->clear();
  });
  EXPECT_EQ(full.garbage(), made);
  EXPECT_GT(full.collect_all(), 0);
  EXPECT_EQ(full.garbage(), 0u);
  EXPECT_GT(full.counters().sweeps, 0u);
}

TEST_F(Collecting, FindsObjectsOnMorePagesThanOneTransactionMayFillAndTellOf) {
  constexpr std::uint32_t kVertices = 200 * kPageSize / sizeof(Vertex);
  run([](Transaction& t, Ref<Root>) {
    for (std::uint32_t i = 0; i < kVertices; ++i) (void)t.make<Vertex>();
  });
  EXPECT_EQ(here_.garbage(), kVertices);
  expect_all_collected();
}

TEST_F(Collecting, FollowsALongListOnceNotForEachOfItsObjects) {
  run([](Transaction& t, Ref<Root> root) { root.mut()->first = make_row(t, 20'000, false); });
  const auto before = here_.counters().work;
  expect_all_collected();
  EXPECT_EQ(here_.counters().freed, 0u);
  EXPECT_LT(here_.counters().work - before, 200u * 20'000u);
}

TEST_F(Collecting, FollowsALongListOnceNotForEachCandidateInIt) {
  constexpr int kLength = 20'000;
  run([](Transaction& t, Ref<Root> root) { root.mut()->first = make_row(t, kLength, false); });
  here_.collect_all();
  run([](Transaction&, Ref<Root> root) {
    auto vertex = root->first.ref();
    for (int i = 0; i < kLength; ++i, vertex = vertex->edges[0]) {
      if (i % 50 == 0) root.mut()->second = vertex;
    }
    root.mut()->second = nullptr;
  });
  const auto before = here_.counters().work;
  expect_all_collected();
  EXPECT_EQ(here_.counters().freed, 0u);
  EXPECT_LT(here_.counters().work - before, 50u * kLength);
}

TEST_F(Collecting, FindsWhatDiesAfterItWasFoundAlive) {
  for (const std::uint32_t work : {0u, 1'000u, 2'000u, 8'000u}) {
    for (int steps = 0; steps < 60; ++steps) {
      run([](Transaction& t, Ref<Root> root) {
        root.mut()->first = make_row(t, 100, true);
        root.mut()->second = root->first->edges[0]->edges[0];
        root.mut()->weak = root->second->edges[0];
      });
      here_.collect_all();
      run([](Transaction&, Ref<Root> root) {
        root.mut()->weak = nullptr;
        root.mut()->second = nullptr;
      });
      const gc::Budget budget{work, 16};
      for (int i = 0; i < steps; ++i) (void)here_.collector().collect(gc::Occasion::kIdle, budget);
      run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
      ASSERT_GT(here_.collect_all(budget), 0);
      ASSERT_EQ(here_.garbage(), 0u) << "steps: " << steps << " of " << work;
    }
  }
}

TEST_F(Collecting, FreesCyclesWithObjectsOfTheirOwnThatLeadBackByWeakLinks) {
  for (int ring = 2; ring < 60; ++ring) {
    for (const std::uint32_t work : {0u, 400u, 450u, 500u, 600u, 800u, 1'000u, 6'000u}) {
      run([ring](Transaction& t, Ref<Root> root) {
        root.mut()->first = make_row(t, ring, true);
        for (auto [i, at] = std::pair(0, root->first.ref()); i < ring; ++i, at = at->edges[0]) {
          const auto owned = t.make<Vertex>(i);
          owned.mut()->edges[0].assign_weak(i % 2 == 0 ? at->edges[0].ref() : root->first.ref());
          owned.mut()->edges[1] = make_row(t, 40, false);  // uses the work up
          at.mut()->edges[1] = owned;
        }
      });
      here_.collect_all();
      run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
      expect_all_collected({work, 128});
      if (HasFailure()) FAIL() << "rings of " << ring << ", work " << work;
    }
  }
}

TEST_F(Collecting, FreesCyclesThroughLongArrays) {
  constexpr std::size_t kLength = 2'000;
  for (const std::uint32_t work : {0u, 500u, 1'000u, 3'000u}) {
    run([](Transaction& t, Ref<Root> root) {
      const auto table = t.make_array<Link<Vertex>>(kLength);
      const auto kept = t.make<Vertex>();
      root.mut()->first = kept;
      for (std::size_t i = 0; i < kLength; ++i) *table[i].mut() = kept;
      const auto hoop = t.make<Hoop>();
      hoop.mut()->table = table;
      hoop.mut()->self = hoop;
      const auto other = make_row(t, 300, true);
      hoop.mut()->row = other;
      root.mut()->hoop = hoop;
    });
    here_.collect_all();
    run([](Transaction&, Ref<Root> root) { root.mut()->hoop = nullptr; });
    expect_all_collected({work, 128});
    if (HasFailure()) FAIL() << "work " << work;
  }
}

// The trial's candidate has lost its entries, also that of where it is kept, when the next step
// finds another one that takes more than one transaction.
TEST_F(Collecting, FreesWhatIsSuspendedWhileACandidateIsTakenApart) {
  for (int ring = 2; ring < 60; ++ring) {
    run([ring](Transaction& t, Ref<Root> root) {
      (void)make_row(t, ring, true);
      root.mut()->first = make_row(t, 9, true);
      for (auto [i, at] = std::pair(0, root->first.ref()); i < 9; ++i, at = at->edges[0]) {
        const auto owned = t.make<Vertex>(i);
        owned.mut()->edges[0].assign_weak(root->first);
        at.mut()->edges[1] = owned;
      }
      for (int i = 0; i < 4; ++i) (void)make_row(t, 1 + ring * i % 7, true);
    });
    run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
    expect_all_collected({.work = 0, .pages_written = 0});
    if (HasFailure()) FAIL() << "ring of " << ring;
  }
}

// ---- a dead cycle leads to more pages than a transaction may write

struct Spoke;

/// Nothing stands beside it on its page.
struct Wide {
  Link<Spoke> watched;
  unsigned char bytes[3'850];
};

struct Spoke {
  Link<Spoke> next;
  Link<Wide> wide;
  Link<Array<Link<Wide>>> table;
};

struct Wheel {
  Link<Array<Link<Wide>>> live;
  Link<Spoke> first;
  Link<Spoke> last;
};

class CollectingWithFewShadowPages : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kPages = 2'048;
  static constexpr std::size_t kLive = 400;

  void SetUp() override {
    run([](Transaction& t, Ref<Wheel> root) {
      root.mut()->live = t.make_array<Link<Wide>>(kLive);
    });
    for (std::size_t i = 0; i < kLive; ++i) {
      run([i](Transaction& t, Ref<Wheel> root) { *root->live.ref()[i].mut() = t.make<Wide>(); });
    }
  }

  template <class Body>
  void run(Body body) {
    node_->run([&](Transaction& t) { body(t, t.root<Wheel>("wheel")); });
  }
  Ref<Wide> live(Ref<Wheel> root, std::size_t i) { return root->live.ref()[i]->ref(); }
  /// Its objects lead to one live object each.
  void make_dead_ring() {
    for (std::size_t i = 0; i < kLive; ++i) {
      run([&](Transaction& t, Ref<Wheel> root) {
        const auto spoke = t.make<Spoke>();
        spoke.mut()->next = root->first;
        spoke.mut()->wide = live(root, i);
        root.mut()->first = spoke;
        if (i == 0) root.mut()->last = spoke;
      });
    }
    run([](Transaction&, Ref<Wheel> root) {
      root->last.ref().mut()->next = root->first;
      root.mut()->last = nullptr;
      root.mut()->first = nullptr;
    });
  }
  void expect_collected(const gc::Budget& budget = {}) {
    for (int steps = 0; steps < 10'000; ++steps) {
      if (!collector_->collect(gc::Occasion::kIdle, budget)) break;
    }
    EXPECT_EQ(node_->run([](Transaction& t) { return reachable(t).garbage; }), 0u);
    EXPECT_TRUE(node_.verify().ok()) << to_words(node_.verify());
  }

  LoneNode node_{kPages, 256, 2};
  OwnedCollector<LoneNode::NodeType> collector_{node_.node(), kPages};
};

TEST_F(CollectingWithFewShadowPages, FreesARingThatLeadsToManyPages) {
  make_dead_ring();
  expect_collected();
  EXPECT_EQ(collector_->counters().too_large, 0u);
}

TEST_F(CollectingWithFewShadowPages, FreesACycleWithATableThatLeadsToManyPages) {
  run([](Transaction& t, Ref<Wheel> root) {
    const auto spoke = t.make<Spoke>();
    spoke.mut()->next = spoke;
    spoke.mut()->table = t.make_array<Link<Wide>>(kLive);
    root.mut()->first = spoke;
  });
  for (std::size_t i = 0; i < kLive; ++i) {
    run([&](Transaction&, Ref<Wheel> root) { *root->first->table.ref()[i].mut() = live(root, i); });
  }
  run([](Transaction&, Ref<Wheel> root) { root.mut()->first = nullptr; });
  expect_collected();
  EXPECT_EQ(collector_->counters().too_large, 0u);
}

TEST_F(CollectingWithFewShadowPages, FreesARingToWhichManyPagesLeadByWeakLinks) {
  run([](Transaction& t, Ref<Wheel> root) {
    const auto spoke = t.make<Spoke>();
    spoke.mut()->next = spoke;
    root.mut()->first = spoke;
  });
  for (std::size_t i = 0; i < kLive; ++i) {
    run([&](Transaction&, Ref<Wheel> root) {
      live(root, i).mut()->watched.assign_weak(root->first);
    });
  }
  run([](Transaction&, Ref<Wheel> root) { root.mut()->first = nullptr; });
  expect_collected();
  EXPECT_EQ(collector_->counters().too_large, 0u);
  run([&](Transaction&, Ref<Wheel> root) {
    for (std::size_t i = 0; i < kLive; ++i) EXPECT_FALSE(live(root, i)->watched);
  });
}

/// A row of spokes, each of which leads to a live object on a page of its own.
struct Comb {
  static constexpr std::uint32_t kPages = 1'024;
  static constexpr std::size_t kLive = 100;

  explicit Comb(std::uint32_t shadow_pages) : node(kPages, shadow_pages) {
    run([](Transaction& t, Ref<Wheel> root) {
      root.mut()->live = t.make_array<Link<Wide>>(kLive);
    });
    for (std::size_t i = 0; i < kLive; ++i) {
      run([i](Transaction& t, Ref<Wheel> root) { *root->live.ref()[i].mut() = t.make<Wide>(); });
      run([i](Transaction& t, Ref<Wheel> root) {
        const auto spoke = t.make<Spoke>();
        spoke.mut()->next = root->first;
        spoke.mut()->wide = root->live.ref()[i]->ref();
        root.mut()->first = spoke;
      });
    }
  }

  template <class Body>
  void run(Body body) {
    node->run([&](Transaction& t) { body(t, t.root<Wheel>("wheel")); });
  }

  template <class Collector>
  void drop_and_collect(Collector& collector) {
    while (collector.collect()) {  // or the spokes are candidates still
    }
    run([](Transaction&, Ref<Wheel> root) { root.mut()->first = nullptr; });
    for (int steps = 0; steps < 1'000 && collector.collect(); ++steps) {
    }
  }

  std::uint64_t garbage() {
    return node->run([](Transaction& t) { return reachable(t).garbage; });
  }

  LoneNode node;
};

TEST(CollectingWithVeryFewShadowPages, FreesARowThatLeadsToManyPages) {
  for (const std::uint32_t shadow_pages : {12u, 16u, 24u, 32u, 48u, 64u, 128u}) {
    Comb comb(shadow_pages);
    OwnedCollector<LoneNode::NodeType> collector{comb.node.node(), Comb::kPages};
    comb.drop_and_collect(*collector.operator->());
    EXPECT_EQ(comb.garbage(), 0u) << shadow_pages;
    EXPECT_EQ(collector->counters().too_large, 0u) << shadow_pages;
    EXPECT_TRUE(comb.node.verify().ok()) << to_words(comb.node.verify());
  }
}

/// Has fewer shadow pages than it says.
class Boaster {
 public:
  struct Core {
    const CoreCounters& counters;
    const bool (&is_member)[kMaxNodes];
    NodeId self;
    Epoch epoch;
    struct {
      std::uint32_t shadow_pages;
    } config;
  };
  struct Protocol {
    Core core_;
    const Core& core() const { return core_; }
  };

  explicit Boaster(LoneNode::NodeType& node) : Boaster(node, node.protocol().core()) {}

  Instant now() const { return node_.now(); }
  const Protocol& protocol() const { return protocol_; }
  template <class Body>
  auto try_run(Body body) {
    return node_.try_run(body);
  }

 private:
  template <class TrueCore>
  Boaster(LoneNode::NodeType& node, const TrueCore& core)
      : node_(node), protocol_{{core.counters, core.is_member, core.self, core.epoch, {4'096}}} {}

  LoneNode::NodeType& node_;
  Protocol protocol_;
};

TEST(CollectingWithVeryFewShadowPages, MakesSmallerStepsIfOneWasTooLarge) {
  Comb comb(24);
  Boaster boaster(comb.node.node());
  OwnedCollector<Boaster> collector{boaster, Comb::kPages};
  comb.drop_and_collect(*collector.operator->());
  EXPECT_EQ(comb.garbage(), 0u);
  EXPECT_GT(collector->counters().too_large, 0u);
  EXPECT_TRUE(comb.node.verify().ok()) << to_words(comb.node.verify());
}

/// After so many steps somebody finds a way to a dead ring by a weak link, `edges` further on.
/// Whether the ring was still there.
bool revive_after(int steps, int edges) {
  constexpr int kRing = 400;
  LoneCollector here(512);
  const auto run = [&](auto body) {
    here.node()->run([&](Transaction& t) { return body(t, t.root<Root>("root")); });
  };
  run([](Transaction& t, Ref<Root> root) {
    root.mut()->first = make_row(t, kRing, true);
    auto last = root->first.ref();
    for (int i = 1; i < kRing; ++i) last = last->edges[0];
    root.mut()->weak.assign_weak(last);
  });
  here.collect_all();
  run([](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  for (int i = 0; i < steps; ++i) (void)here.collector().collect(gc::Occasion::kIdle, {0, 0});
  bool there = false;
  run([&](Transaction&, Ref<Root> root) {
    auto vertex = root->weak.ref();
    there = static_cast<bool>(vertex);
    if (!there) return;
    for (int i = 0; i < edges; ++i) vertex = vertex->edges[0];
    root.mut()->second = vertex;
  });
  EXPECT_GT(here.collect_all({0, 0}), 0);
  EXPECT_EQ(here.garbage(), 0u);
  EXPECT_EQ(here.counters().freed, there ? 0u : kRing) << "steps: " << steps;
  run([&](Transaction&, Ref<Root> root) {
    EXPECT_EQ(static_cast<bool>(root->weak), there) << "steps: " << steps;
  });
  return there;
}

TEST_F(Collecting, SparesACycleThatSomebodyHasAWayToWhateverItKnewBefore) {
  for (const int edges : {0, 1, 200, 399}) {
    int steps = 0;
    while (revive_after(steps, edges) && !HasFailure()) ++steps;
    EXPECT_GT(steps, 8);
  }
}

/// The only link into a living ring is led from object to object while a trial looks at it: after
/// `first` steps to what the search has seen, after `second` to what was verified. How many steps
/// the trial takes without that.
int lead_on_after(int first, int second) {
  constexpr int kRing = 400;
  LoneCollector here(512);
  const auto run = [&](auto body) {
    here.node()->run([&](Transaction& t) { return body(t.root<Root>("root")); });
  };
  const auto lead_on = [&](int edges) {
    run([&](Ref<Root> root) {
      auto vertex = root->first.ref();
      for (int i = 0; i < edges; ++i) vertex = vertex->edges[0];
      root.mut()->first = vertex;
    });
  };
  here.node()->run(
      [](Transaction& t) { t.root<Root>("root").mut()->first = make_row(t, kRing, true); });
  here.collect_all();
  // The search follows backchains, so it comes to the place behind the candidate last.
  lead_on(kRing / 2);
  here.node()->run([](Transaction& t) {
    const auto root = t.root<Root>("root");
    root.mut()->second = root->first;
    root.mut()->first = root->first->edges[0];
    root.mut()->second = nullptr;
  });
  int steps = 0;
  for (bool more = true; more; ++steps) {
    if (steps == first) lead_on(kRing - 101);
    if (steps == second) lead_on(kRing - 100);
    more = here.collector().collect(gc::Occasion::kIdle, {0, 0});
  }
  here.collect_all();
  EXPECT_EQ(here.counters().freed, 0u) << "steps: " << first << ", " << second;
  EXPECT_EQ(here.garbage(), 0u);
  return steps;
}

TEST_F(Collecting, SparesACycleThatIsLedOnFromWhatItHasNotSeenToWhatItHas) {
  const int steps = lead_on_after(-1, -1);
  EXPECT_GT(steps, 8);
  for (int first = 0; first < steps && !HasFailure(); ++first) {
    for (int second = first + 1; second < 2 * steps && !HasFailure(); ++second) {
      lead_on_after(first, second);
    }
  }
}

/// What a collector of another node does to the objects of a page when it condemns them too.
void condemn_by_another(Transaction& t, PageIndex page) {
  const auto end = heap::offset_of(page) + kPageSize;
  for (auto at = heap::offset_of(page) + sizeof(heap::PageHeader); at < end;) {
    const heap::Tag tag(t.load(at));
    if (tag.is_condemned()) t.store(at + heap::kTagAt, tag.condemned_by(9).word());
    at += tag.bytes();
  }
}

void empty_page(Transaction& t, PageIndex page) { (void)heap::evacuate(t, page); }

/// And what comes after it looks like nothing that a collector knows.
void fill_page_anew(Transaction& t, PageIndex page) {
  struct Bytes {
    unsigned char bytes[200];
  };
  (void)heap::evacuate(t, page);
  while (const auto body = heap::try_allocate(
             t, {.bytes = sizeof(Bytes), .type = t.type<Bytes>(), .flags = heap::Tag::kPinned})) {
    std::memset(t.writing<Bytes>(body)->bytes, 0xff, sizeof(Bytes));
    if (page_of(body) == page) return;
  }
}

/// After so many steps something happens to a page of a dead ring under its trial. Whether the ring
/// was still there; what is left of it is freed in any case.
bool disturb_after(int steps, void (*disturb)(Transaction&, PageIndex), const gc::Budget& budget) {
  LoneCollector here(512);
  const auto run = [&](auto body) {
    here.node()->run([&](Transaction& t) { body(t, t.root<Root>("root")); });
  };
  run([&](Transaction& t, Ref<Root> root) {
    root.mut()->first = make_row(t, 400, true);
    // A backchain that one transaction does not come to the end of.
    const auto first = root->first.ref();
    for (auto at = first->edges[0].ref(); at != first; at = at->edges[0].ref()) {
      at.mut()->edges[1] = first;
    }
  });
  here.collect_all();
  PageIndex page = 0;
  run([&](Transaction&, Ref<Root> root) {
    page = page_of(root->first.target());
    root.mut()->first = nullptr;
  });
  for (int i = 0; i < steps; ++i) (void)here.collector().collect(gc::Occasion::kIdle, budget);
  const bool there = here.garbage() > 0;
  run([&](Transaction& t, Ref<Root>) { disturb(t, page); });
  EXPECT_GT(here.collect_all(budget), 0);
  EXPECT_EQ(here.garbage(), 0u) << "steps: " << steps << " of " << budget.work;
  return there;
}

void disturb_at_every_step(void (*disturb)(Transaction&, PageIndex)) {
  for (const std::uint32_t work : {0u, 1'000u, 1'500u, 2'000u}) {
    int steps = 0;
    while (disturb_after(steps, disturb, {work, work / 100}) && !::testing::Test::HasFailure()) {
      ++steps;
    }
    EXPECT_GT(steps, 4);
  }
}

TEST_F(Collecting, FreesAllOfACycleThatIsMovedUnderItsTrial) { disturb_at_every_step(empty_page); }

TEST_F(Collecting, FreesAllOfACycleOfWhichAPageIsUsedAnewUnderItsTrial) {
  disturb_at_every_step(fill_page_anew);
}

TEST_F(Collecting, FreesAllOfACycleThatAnotherNodeCondemnsUnderItsTrial) {
  disturb_at_every_step(condemn_by_another);
}

/// After so many steps the node comes back with empty memory. Whether the ring was still there.
bool restart_after(int steps, std::uint32_t work) {
  LoneCollector here(512);
  const auto run = [&](auto body) {
    here.node()->run([&](Transaction& t) { body(t, t.root<Root>("root")); });
  };
  run([&](Transaction& t, Ref<Root> root) {
    root.mut()->first = make_row(t, 400, true);
    const auto tail = t.make<Vertex>();  // only from one of them, and back to none but that
    root->first->edges[0].ref().mut()->edges[1] = tail;
    tail.mut()->edges[0] = root->first->edges[0];
    // None of it stands on the page that is being filled, where an idle collector looks anyway.
    root.mut()->second = make_row(t, 60, false);
  });
  here.collect_all();
  run([&](Transaction&, Ref<Root> root) { root.mut()->first = nullptr; });
  const gc::Budget budget{work, work / 100};
  for (int i = 0; i < steps; ++i) (void)here.collector().collect(gc::Occasion::kIdle, budget);
  const bool there = here.garbage() > 0;
  here.restart();
  EXPECT_GT(here.collect_all(budget), 0);
  EXPECT_EQ(here.garbage(), 0u) << "steps: " << steps << " of " << budget.work;
  return there;
}

TEST_F(Collecting, FreesTheRestOfACycleWhenItsNodeComesBack) {
  for (const std::uint32_t work : {0u, 1'000u, 1'500u, 2'000u}) {
    int steps = 0;
    while (restart_after(steps, work) && !HasFailure()) ++steps;
    EXPECT_GT(steps, 4);
  }
}

TEST_F(Collecting, GivesEmptyPagesBack) {
  build_rings(100, 20);
  const auto taken = here_.node().verify().pages_taken;
  run([](Transaction&, Ref<Root> root) { root.mut()->table = nullptr; });
  expect_all_collected();
  EXPECT_LT(here_.node().verify().pages_taken, taken / 2);
}

}  // namespace
}  // namespace plurix::testing

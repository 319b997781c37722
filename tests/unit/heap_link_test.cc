// Links and backchains (DESIGN H1). After each test the verifier goes over the whole heap.
#include <gtest/gtest.h>

#include "support/lone_node.h"
#include "unit/heap_types.h"

#include <vector>

namespace plurix::testing {
namespace {

class Links : public ::testing::Test {
 protected:
  void TearDown() override {
    const auto report = node.verify();
    EXPECT_TRUE(report.ok()) << to_words(report);
  }

  template <class Body>
  auto run(Body body) {
    return node->run(body);
  }

  /// What a misuse says, empty if there was none.
  template <class Body>
  std::string misuse_of(Body body) {
    try {
      node->run(body);
    } catch (const Misuse& error) {
      return error.what();
    }
    return {};
  }

  /// Slots of all links that keep an object.
  static std::vector<std::uint64_t> entries(Transaction& t, std::uint64_t body) {
    std::vector<std::uint64_t> slots;
    heap::ChainWalk walk(t, heap::header_of(t, body));
    while (const auto slot = walk.next()) {
      if ((t.load(slot) & heap::kWeak) == 0) slots.push_back(slot);
    }
    return slots;
  }

  LoneNode node;
};

TEST_F(Links, LeadToWhatWasAssigned) {
  run([](Transaction& t) {
    const auto list = t.root<List>("list");
    for (int i = 0; i < 100; ++i) push(t, list, i);
  });
  run([](Transaction& t) {
    int expected = 99;
    for (Ref<Item> item = t.root<List>("list")->head; item; item = item->next) {
      EXPECT_EQ(item->value, expected--);
    }
    EXPECT_EQ(expected, -1);
  });
}

TEST_F(Links, AreInTheirTargetsBackchainAsOftenAsTheyAreStored) {
  run([](Transaction& t) {
    const auto graph = t.root<Graph>("graph");
    const auto target = t.make<Vertex>(1);
    for (auto& link : graph.mut()->vertices) link = target;
    EXPECT_EQ(entries(t, target.offset()).size(), 32u);
    for (int i = 0; i < 32; i += 2) graph.mut()->vertices[i].clear();
    EXPECT_EQ(entries(t, target.offset()).size(), 16u);
  });
}

TEST_F(Links, LeaveTheOldChainWhenTheyAreAssignedAgain) {
  run([](Transaction& t) {
    const auto list = t.root<List>("list");
    const auto first = t.make<Item>(1);
    const auto second = t.make<Item>(2);
    list.mut()->head = first;
    list.mut()->head = second;
    EXPECT_TRUE(entries(t, first.offset()).empty());
    EXPECT_FALSE(heap::is_linked(t, heap::header_of(t, first.offset())));
    EXPECT_EQ(entries(t, second.offset()).size(), 1u);
  });
}

TEST_F(Links, MayLeadToTheirOwnObject) {
  run([](Transaction& t) {
    const auto vertex = t.root<Vertex>("vertex");
    for (auto& edge : vertex.mut()->edges) edge = vertex;
    vertex.mut()->edges[1] = nullptr;
    EXPECT_EQ(entries(t, vertex.offset()).size(), 4u);  // three edges and the name
  });
}

TEST_F(Links, AreCopiedWithTheStructTheyAreIn) {
  run([](Transaction& t) {
    const auto list = t.root<List>("list");
    push(t, list, 7);
    const auto copy = t.root<List>("copy");
    *copy.mut() = *list;
    EXPECT_EQ(copy->head.ref(), list->head.ref());
    EXPECT_EQ(entries(t, list->head.target()).size(), 2u);
    *copy.mut() = List{};
    EXPECT_EQ(entries(t, list->head.target()).size(), 1u);
  });
}

TEST_F(Links, MayBeMadeTogetherWithTheirObject) {
  run([](Transaction& t) {
    const auto last = t.make<Item>(2);
    const auto first = t.make<Item>(1, last);
    t.root<List>("list").mut()->head = first;
    EXPECT_EQ(first->next->value, 2);
  });
}

TEST_F(Links, OfAnAbortedTransactionLeaveNothingBehind) {
  run([](Transaction& t) { push(t, t.root<List>("list"), 1); });
  const auto outcome = node->try_run([](Transaction& t) -> Verdict {
    const auto list = t.root<List>("list");
    for (int i = 0; i < 50; ++i) push(t, list, i);
    t.free(t.make<Vertex>());
    return t.cancel("no");
  });
  EXPECT_TRUE(outcome.cancelled());
  run([](Transaction& t) {
    EXPECT_EQ(t.root<List>("list")->size, 1);
    EXPECT_FALSE(t.root<List>("list")->head->next);
  });
}

TEST_F(Links, OutsideTheHeapAreMisuse) {
  const auto words = misuse_of([](Transaction& t) {
    List local{};
    local.head = t.make<Item>(1);
  });
  EXPECT_EQ(words, "a Link outside the heap: only a member of a heap object can be assigned");
}

TEST_F(Links, OutsideATransactionAreMisuse) {
  Link<Item> link;
  link = nullptr;  // but a null link may be copied and cleared anywhere
  const Link<Item> copy = link;
  EXPECT_FALSE(copy);
  try {
    link.assign(64, 0);
    FAIL();
  } catch (const Misuse& error) {
    EXPECT_STREQ(error.what(), "a Link assigned outside a transaction");
  }
}

TEST_F(Links, ToAPartOfAnObjectAreMisuse) {
  struct Outer {
    long first;
    Vertex part;
  };
  const auto words = misuse_of([](Transaction& t) {
    const auto outer = t.root<Outer>("outer");
    t.root<Graph>("graph").mut()->vertices[0] = outer.field(&Outer::part);
  });
  EXPECT_EQ(words, "a Link to what is no object, or only a part of one");
}

TEST_F(Links, ThatAreWeakFollowButDoNotKeep) {
  run([](Transaction& t) {
    const auto list = t.root<List>("list");
    auto item = t.make<Item>(5);
    list.mut()->head.assign_weak(item);
    EXPECT_TRUE(list->head.is_weak());
    item = t.relocate(item);
    EXPECT_EQ(list->head.ref(), item);
    EXPECT_EQ(list->head->value, 5);
    t.free(item);
    EXPECT_FALSE(list->head);
  });
}

TEST_F(Links, ToAPopularObjectStandInAChainForEachNode) {
  run([](Transaction& t) {
    const auto graph = t.root<Graph>("graph");
    auto target = t.make<Vertex>(1);
    graph.mut()->vertices[0] = target;
    t.expect_many_links(target);
    t.expect_many_links(target);
    for (int i = 1; i < 8; ++i) graph.mut()->vertices[i] = target;
    EXPECT_EQ(entries(t, target.offset()).size(), 8u);
    target = t.relocate(target);
    for (int i = 0; i < 8; ++i) EXPECT_EQ(graph->vertices[i].ref(), target);
    for (int i = 0; i < 8; ++i) graph.mut()->vertices[i] = nullptr;
    t.free(target);
  });
}

TEST_F(Links, OfAFreedObjectAreCleared) {
  run([](Transaction& t) {
    const auto list = t.root<List>("list");
    push(t, list, 1);
    const auto holder = t.make<Item>(2, Ref<Item>(list->head));
    t.free(holder);
    EXPECT_TRUE(heap::is_linked(t, heap::header_of(t, list->head.target())));
    list.mut()->head.clear();
  });
}

TEST_F(Links, KeepAnObjectFromBeingFreed) {
  run([](Transaction& t) { push(t, t.root<List>("list"), 1); });
  EXPECT_EQ(misuse_of([](Transaction& t) { t.free(t.root<List>("list")->head.ref()); }),
            "an object is freed while a link leads to it");
  EXPECT_EQ(misuse_of([](Transaction& t) { t.free(t.root<List>("list")); }),
            "an object is freed while a link leads to it");
}

TEST_F(Links, OfACycleCanBeFreedOneByOne) {
  run([](Transaction& t) {
    const auto a = t.make<Vertex>(1);
    const auto b = t.make<Vertex>(2);
    a.mut()->edges[0] = b;
    b.mut()->edges[0] = a;
    a.mut()->edges[1] = a;
    heap::clear_links(t, heap::header_of(t, a.offset()));
    t.free(b);
    t.free(a);
  });
}

TEST_F(Links, InArraysAreLinksLikeOthers) {
  run([](Transaction& t) {
    const auto table = t.make_array<Link<Vertex>>(500);  // larger than a page: slots straddle pages
    ASSERT_TRUE(t.publish("table", table));
    for (std::size_t i = 0; i < table.size(); ++i) {
      auto vertex = t.make<Vertex>(static_cast<long>(i));
      *table[i].mut() = vertex;
    }
    for (std::size_t i = 0; i < table.size(); i += 3) table[i].mut()->clear();
    EXPECT_EQ((*table[1])->key, 1);
  });
}

}  // namespace
}  // namespace plurix::testing

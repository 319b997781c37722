// Moving objects (DESIGN H2): the graph stays what it was up to addresses.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/lone_node.h"
#include "unit/heap_types.h"

#include <map>
#include <vector>

namespace plurix::testing {
namespace {

using Edges = std::vector<std::vector<int>>;

/// The graph under "graph" as numbers: for each vertex in the order of a walk, where its edges go.
Edges shape_of(Transaction& t) {
  Edges shape;
  std::map<std::uint64_t, int> numbers;
  std::vector<Ref<Vertex>> order;
  const auto number_of = [&](const Ref<Vertex>& vertex) {
    if (!vertex) return -1;
    const auto [found, is_new] = numbers.try_emplace(vertex.offset(), int(order.size()));
    if (is_new) order.push_back(vertex);
    return found->second;
  };
  shape.emplace_back();
  for (const auto& link : t.root<Graph>("graph")->vertices) shape[0].push_back(number_of(link));
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::vector<int> edges{static_cast<int>(order[i]->key)};
    for (const auto& edge : order[i]->edges) edges.push_back(number_of(edge));
    shape.push_back(edges);
  }
  return shape;
}

/// A graph of up to 32 vertices with random edges, cycles and loops.
void build(Transaction& t, const std::vector<std::uint8_t>& choices) {
  const auto graph = t.root<Graph>("graph");
  std::size_t next = 0;
  const auto choose = [&](std::size_t bound) {
    ++next;
    return choices.empty() ? 0 : choices[next % choices.size()] * next % bound;
  };
  for (int i = 0; i < 32; ++i) graph.mut()->vertices[i] = t.make<Vertex>(i);
  for (int i = 0; i < 32; ++i) {
    auto* vertex = graph->vertices[i].ref().mut();
    for (auto& edge : vertex->edges) edge = graph->vertices[choose(32)];
  }
  for (int i = 0; i < 32; i += 1 + static_cast<int>(choose(4))) graph.mut()->vertices[i].clear();
}

RC_GTEST_PROP(Relocation, KeepsTheGraph, (const std::vector<std::uint8_t>& choices)) {
  LoneNode node(128);
  node->run([&](Transaction& t) { build(t, choices); });
  const auto before = node->run(shape_of);
  node->run([&](Transaction& t) {
    (void)t.relocate(t.root<Graph>("graph"));
    for (int i = 0; i < 32; ++i) {
      const Ref<Vertex> vertex = t.root<Graph>("graph")->vertices[i];
      if (vertex) (void)t.relocate(vertex);
    }
  });
  RC_ASSERT(node->run(shape_of) == before);
  RC_ASSERT(to_words(node.verify()) == "");
}

RC_GTEST_PROP(Relocation, OfWholePagesKeepsTheGraph, (const std::vector<std::uint8_t>& choices)) {
  LoneNode node(128);
  node->run([&](Transaction& t) { build(t, choices); });
  const auto before = node->run(shape_of);
  const auto objects = node.verify().objects;
  node->run([](Transaction& t) {
    const auto r = heap::regions(t.pages());
    for (auto page = r.first; page < r.first + 20; ++page) heap::evacuate(t, page);
  });
  RC_ASSERT(node->run(shape_of) == before);
  const auto report = node.verify();
  RC_ASSERT(to_words(report) == "");
  RC_ASSERT(report.objects == objects);
}

TEST(Relocation, MovesLargeObjectsAndArrays) {
  LoneNode node(256);
  node->run([](Transaction& t) {
    const auto graph = t.root<Graph>("graph");
    auto many = t.make_array<Vertex>(400);
    ASSERT_TRUE(t.publish("many", many));
    for (std::size_t i = 0; i < many.size(); ++i) {
      many[i].mut()->key = static_cast<long>(i);
      many[i].mut()->edges[i % 4] = t.make<Vertex>(static_cast<long>(1000 + i));
    }
    graph.mut()->vertices[3] = many[7]->edges[3];
    const auto moved = t.relocate(many);
    EXPECT_NE(moved.offset(), many.offset());
    EXPECT_EQ(t.find<Array<Vertex>>("many"), moved);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      ASSERT_EQ(moved[i]->key, static_cast<long>(i));
      ASSERT_EQ(moved[i]->edges[i % 4]->key, static_cast<long>(1000 + i));
    }
    EXPECT_EQ(graph->vertices[3]->key, 1007);
  });
  const auto report = node.verify();
  EXPECT_TRUE(report.ok()) << to_words(report);
}

struct alignas(64) Line {
  long key;
  Link<Line> next;
};
static_assert(sizeof(Line) == 64);

/// Moves it until it has stood at every place of a page that objects of 64 bytes can have.
template <class T>
void expect_moves_aligned(Transaction& t, Ref<T> object, std::size_t first_at) {
  for (int i = 0; i < 60; ++i) {
    (void)t.make<long>(i);  // or the places would be aligned by themselves
    object = t.relocate(object);
    ASSERT_EQ((object.offset() + first_at) % 64, 0u);
  }
}

TEST(Relocation, KeepsTheAlignment) {
  LoneNode node(256);
  node->run([](Transaction& t) {
    const auto line = t.make<Line>(7);
    ASSERT_TRUE(t.publish("line", line));
    expect_moves_aligned(t, line, 0);
    const auto lines = t.make_array<Line>(5);
    ASSERT_TRUE(t.publish("lines", lines));
    for (std::size_t i = 0; i < 5; ++i) lines[i].mut()->next = t.find<Line>("line");
    expect_moves_aligned(t, lines, 64);
    t.find<Array<Line>>("lines")[3].mut()->key = 3;
  });
  node->run([](Transaction& t) {
    const auto line = t.find<Line>("line");
    EXPECT_EQ(line->key, 7);
    const auto lines = t.find<Array<Line>>("lines");
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(lines[i]->next, line);
    EXPECT_EQ(lines[3]->key, 3);
  });
  EXPECT_EQ(to_words(node.verify()), "");
}

TEST(Relocation, IsUndoneWithItsTransaction) {
  LoneNode node(128);
  node->run([](Transaction& t) { build(t, {1, 7, 9}); });
  const auto before = node->run(shape_of);
  const auto outcome = node->try_run([](Transaction& t) -> Verdict {
    (void)t.relocate(t.root<Graph>("graph"));
    return t.cancel("no");
  });
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(node->run(shape_of), before);
  EXPECT_EQ(to_words(node.verify()), "");
}

TEST(Relocation, LeavesTheSystemsObjectsWhereTheyAre) {
  LoneNode node(128);
  node->run([](Transaction& t) {
    (void)t.root<Graph>("graph");
    const auto type = t.type<Graph>();
    EXPECT_EQ(heap::relocate(t, type), type);
  });
}

}  // namespace
}  // namespace plurix::testing

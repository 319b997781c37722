// graph: lists, trees and cyclic graphs are built, rewired, moved and dropped by all nodes at once.
// Nothing is freed by hand. When the nodes' collectors have come to an end, the heap is verified
// object by object: every structure is what it was built to be, and nothing else is left.
//
// Each place has a page and a stamp of its own, so the history sees each step as one read and one
// write of a register. Edges within a structure keep its vertices; edges from one structure to
// another are weak, so dropping one needs to know nothing of the others.
#pragma once

#include <plurix/heap/verify.h>

#include "workloads/heap_words.h"
#include "workloads/mark_sweep.h"
#include "workloads/workload.h"

namespace plurix::workloads {

class Graph {
 public:
  static constexpr std::string_view kName = "graph";
  static constexpr std::size_t kPlaces = 32;
  static constexpr std::size_t kMostVertices = 40;

  static std::string key_name(std::uint64_t key) { return "place" + std::to_string(key); }

  template <class Node>
  void setup(Node& node, Recorder& recorder) {
    recorder.update(node, [](Transaction& t, Notes&) { t.root<Forest>("graph"); });
  }

  template <class Node>
  Status step(Node& node, Recorder& recorder, Prng& prng) {
    const Plan plan{.action = prng.below(8),
                    .place = prng.below(kPlaces),
                    .other = prng.below(kPlaces),
                    .shape = static_cast<Shape>(1 + prng.below(3)),
                    .vertices = 3 + prng.below(kMostVertices - 2),
                    .seed = prng.next(),
                    .number = numbers_.next(node.id(), recorder.incarnation())};
    return recorder.update(node, [&](Transaction& t, Notes& notes) { carry_out(t, notes, plan); })
        .status;
  }

  template <class Node>
  Verification verify(Node& node) {
    Census census;
    const auto outcome = node.read_only(Freshness::kLatest, [&](Transaction& t) {
      census = Census{};
      const auto forest = t.root<Forest>("graph");
      for (std::size_t i = 0; i < kPlaces; ++i) count(forest.element(&Forest::places, i), census);
      census.leaked = reachable(t).garbage;
      census.report = verify_heap(t);
    });
    if (!outcome.committed()) return unread(kName, outcome.reason);
    return judge(census);
  }

 private:
  enum class Shape : std::uint64_t { kNothing, kList, kTree, kRing };

  struct Vertex {
    std::uint64_t index;
    std::int64_t structure;  ///< the number of the step that built it
    Link<Vertex> edges[2];
    Link<Vertex> rewired;  ///< to any vertex of the same structure
    Link<Vertex> far;      ///< weak, into another structure
  };
  using Table = Array<Link<Vertex>>;

  struct Place {
    std::int64_t stamp;
    std::int64_t structure;
    Shape shape;
    Link<Table> vertices;
    char rest_of_page[kPageSize - 48];
  };
  static_assert(sizeof(Place) == kPageSize);
  struct Forest {
    Place places[kPlaces];
  };

  struct Plan {
    std::uint64_t action;
    std::uint64_t place;
    std::uint64_t other;
    Shape shape;
    std::uint64_t vertices;
    std::uint64_t seed;
    std::int64_t number;
  };

  struct Census {
    std::uint64_t structures = 0;
    std::uint64_t vertices = 0;
    std::uint64_t wrong = 0;
    std::uint64_t leaked = 0;
    HeapReport report;
  };

  static Ref<Place> place_at(Transaction& t, std::uint64_t index) {
    return t.root<Forest>("graph").element(&Forest::places, index);
  }

  static void carry_out(Transaction& t, Notes& notes, const Plan& plan) {
    const auto place = place_at(t, plan.place);
    notes.read(plan.place, place->stamp);
    Prng prng(plan.seed);
    const bool empty = place->shape == Shape::kNothing;
    if (plan.action == 0 || empty) {
      drop(place);
      build(t, place, plan);
    } else if (plan.action == 1) {
      drop(place);
    } else if (plan.action <= 3) {
      move_some(t, place, prng);
    } else if (plan.action == 4) {
      link_far(t, notes, place, plan, prng);
    } else {
      rewire(place, prng);
    }
    place.mut()->stamp = plan.number;
    notes.write(plan.place, plan.number);
  }

  /// Where edge `edge` of vertex `i` of `count` leads to; `count` for nowhere.
  static std::size_t edge_of(Shape shape, std::size_t i, std::size_t edge, std::size_t count) {
    switch (shape) {
      case Shape::kNothing:
        break;
      case Shape::kList:
        return edge == 0 ? i + 1 : count;
      case Shape::kTree:
        return std::min(2 * i + 1 + edge, count);
      case Shape::kRing:
        return edge == 0 ? (i + 1) % count : (i + count - 1) % count;
    }
    return count;
  }

  static void build(Transaction& t, const Ref<Place>& place, const Plan& plan) {
    const auto table = t.make_array<Link<Vertex>>(plan.vertices);
    for (std::size_t i = 0; i < plan.vertices; ++i) {
      *table[i].mut() = t.make<Vertex>(i, plan.number);
    }
    for (std::size_t i = 0; i < plan.vertices; ++i) {
      const Ref<Vertex> vertex = *table[i];
      for (std::size_t edge = 0; edge < 2; ++edge) {
        const auto to = edge_of(plan.shape, i, edge, plan.vertices);
        if (to < plan.vertices) vertex.mut()->edges[edge] = *table[to];
      }
    }
    place.mut()->vertices = table;
    place.mut()->shape = plan.shape;
    place.mut()->structure = plan.number;
  }

  /// The collectors free it: lists and trees, and rings too.
  static void drop(const Ref<Place>& place) {
    place.mut()->vertices = nullptr;
    place.mut()->shape = Shape::kNothing;
  }

  static Ref<Vertex> some_vertex(const Ref<Place>& place, Prng& prng) {
    const Ref<Table> table = place->vertices;
    return *table[prng.below(table.size())];
  }

  static void move_some(Transaction& t, const Ref<Place>& place, Prng& prng) {
    for (int i = 0; i < 3; ++i) (void)t.relocate(some_vertex(place, prng));
    place.mut()->vertices = t.relocate(place->vertices.ref());
  }

  static void rewire(const Ref<Place>& place, Prng& prng) {
    for (int i = 0; i < 4; ++i) {
      const auto from = some_vertex(place, prng);
      from.mut()->rewired = some_vertex(place, prng);
    }
  }

  static void link_far(Transaction& t, Notes& notes, const Ref<Place>& place, const Plan& plan,
                       Prng& prng) {
    const auto other = place_at(t, plan.other);
    if (plan.other != plan.place) notes.read(plan.other, other->stamp);
    if (other->shape == Shape::kNothing) return;
    some_vertex(place, prng).mut()->far.assign_weak(some_vertex(other, prng));
  }

  /// Counts a structure and looks whether it still is what it was built to be.
  static void count(const Ref<Place>& place, Census& census) {
    const Ref<Table> table = place->vertices;
    if (!table) return;
    ++census.structures;
    census.vertices += table.size();
    for (std::size_t i = 0; i < table.size(); ++i) {
      const Ref<Vertex> vertex = *table[i];
      bool right = vertex->index == i && vertex->structure == place->structure;
      for (std::size_t edge = 0; edge < 2; ++edge) {
        const auto to = edge_of(place->shape, i, edge, table.size());
        const auto expected = to < table.size() ? table[to]->target() : 0;
        right = right && vertex->edges[edge].target() == expected;
      }
      const Ref<Vertex> rewired = vertex->rewired;
      right = right && (!rewired || rewired->structure == place->structure);
      census.wrong += right ? 0 : 1;
    }
  }

  static Verification judge(const Census& census) {
    const auto& report = census.report;
    Verification result;
    result.ok = report.ok() && census.wrong == 0 && census.leaked == 0 && report.unlinked == 0;
    result.words =
        std::to_string(census.structures) + " lists, trees and rings of " +
        std::to_string(census.vertices) + " vertices are " +
        (census.wrong == 0 ? "as they were built"
                           : "not: " + std::to_string(census.wrong) + " are wrong") +
        ", " + (census.leaked == 0 ? "nothing leaked" : std::to_string(census.leaked) + " leaked") +
        "; " + heap_words(report);
    result.numbers = {{"structures", static_cast<std::int64_t>(census.structures)},
                      {"vertices", static_cast<std::int64_t>(census.vertices)},
                      {"leaked", static_cast<std::int64_t>(census.leaked)}};
    return result;
  }

  UniqueNumbers numbers_;
};

}  // namespace plurix::workloads

// What a program may do with the heap, as values: each operation is one transaction on a graph that
// all nodes share, and can be generated, shrunk and printed.
#pragma once

#include <plurix/heap/candidates.h>
#include <plurix/heap/verify.h>
#include <plurix/transaction.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "support/lone_node.h"

namespace plurix::testing {

enum class HeapAction : std::uint8_t {
  kMake,      ///< a new vertex takes a place
  kLink,      ///< an edge leads to another place's vertex
  kUnlink,    ///< an edge leads nowhere
  kDrop,      ///< a place is emptied
  kFree,      ///< a vertex that only its place links to is freed
  kRelocate,  ///< a vertex is moved
  kEvacuate,  ///< a page is emptied
  kArray,     ///< an array of links takes a name, or loses it and is freed
  kName,      ///< a name is given, or taken away
  kPopular,   ///< a vertex gets a chain a node
  kCollect,   ///< candidates that nothing keeps are freed
  kTidy,      ///< empty pages are given back
  kRoot,      ///< the shared root itself is moved
};
inline constexpr int kHeapActions = 13;

struct HeapOperation {
  HeapAction action = HeapAction::kMake;
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  std::uint8_t c = 0;
  bool cancel = false;  ///< the transaction refuses in the end

  friend std::ostream& operator<<(std::ostream& out, const HeapOperation& o) {
    return out << "{HeapAction(" << int(o.action) << "), " << int(o.a) << ", " << int(o.b) << ", "
               << int(o.c) << ", " << o.cancel << "}";
  }
};

struct TestVertex {
  std::uint64_t key;
  Link<TestVertex> edges[3];
  std::uint64_t check;  ///< ~key, always
};

inline constexpr std::size_t kPlaces = 12;

struct TestGraph {
  Link<TestVertex> places[kPlaces];
};

/// Does one operation in a transaction.
class HeapActor {
 public:
  explicit HeapActor(Transaction& t) : t_(t), graph_(t.root<TestGraph>("graph")) {}

  void act(const HeapOperation& o) {
    const auto place = o.a % kPlaces;
    const Ref<TestVertex> vertex = graph_->places[place];
    switch (o.action) {
      case HeapAction::kMake: {
        const auto made = t_.make<TestVertex>(std::uint64_t{o.b});
        made.mut()->check = ~std::uint64_t{o.b};
        graph_.mut()->places[place] = made;
        break;
      }
      case HeapAction::kLink:
        if (vertex) vertex.mut()->edges[o.c % 3] = graph_->places[o.b % kPlaces];
        break;
      case HeapAction::kUnlink:
        if (vertex) vertex.mut()->edges[o.c % 3].clear();
        break;
      case HeapAction::kDrop:
        graph_.mut()->places[place] = nullptr;
        break;
      case HeapAction::kFree:
        free(place);
        break;
      case HeapAction::kRelocate:
        if (vertex) (void)t_.relocate(vertex);
        break;
      case HeapAction::kEvacuate: {
        const auto r = heap::regions(t_.pages());
        heap::evacuate(t_, r.first + o.b % (r.end - r.first));
        graph_ = t_.root<TestGraph>("graph");  // perhaps it was there
        break;
      }
      case HeapAction::kArray:
        change_array(name_of(o), o);
        break;
      case HeapAction::kName:
        if (!t_.remove_name(name_of(o)) && vertex) (void)t_.publish(name_of(o), vertex);
        break;
      case HeapAction::kPopular:
        if (vertex) t_.expect_many_links(vertex);
        break;
      case HeapAction::kCollect:
        collect();
        break;
      case HeapAction::kTidy:
        tidy(o.b);
        break;
      case HeapAction::kRoot:
        graph_ = t_.relocate(graph_);
        break;
    }
    check_values();
  }

 private:
  static std::string name_of(const HeapOperation& o) {
    return "d" + std::to_string(o.b % 3) + "/n" + std::to_string(o.c % 4);
  }

  /// As often as it is linked: counted without the queue's weak links.
  std::size_t links_to(const Ref<TestVertex>& vertex) {
    std::size_t count = 0;
    heap::ChainWalk walk(t_, heap::header_of(t_, vertex.offset()));
    while (const auto slot = walk.next()) count += (t_.load(slot) & heap::kWeak) == 0 ? 1 : 0;
    return count;
  }

  void tidy(std::uint8_t place) {
    const auto r = heap::regions(t_.pages());
    auto hand = r.first + place % (r.end - r.first);
    heap::tidy(t_, hand, 8);
  }

  void free(std::size_t place) {
    const Ref<TestVertex> vertex = graph_->places[place];
    if (!vertex || links_to(vertex) != 1) return;
    graph_.mut()->places[place].clear();
    t_.free(vertex);
  }

  void change_array(const std::string& name, const HeapOperation& o) {
    if (const auto array = t_.find<Array<Link<TestVertex>>>(name)) {
      (void)t_.remove_name(name);
      t_.free(array);
      return;
    }
    const auto array = t_.make_array<Link<TestVertex>>(o.a % 7 == 0 ? 200u : o.a % 16u);
    if (!t_.publish(name, array)) return t_.free(array);
    for (std::size_t i = 0; i < array.size() && i < kPlaces; ++i) {
      *array[i].mut() = graph_->places[i];
    }
  }

  /// What the simplest collector would do: frees candidates that nothing keeps.
  void collect() {
    for (int i = 0; i < 8; ++i) {
      const auto body = heap::take_candidate(t_).body;
      if (body == 0) return;
      const auto header = heap::header_of(t_, body);
      if (!heap::is_linked(t_, header)) heap::free_object(t_, body);
    }
  }

  void check_values() {
    for (const auto& place : graph_->places) {
      if (place) RC_ASSERT(place->check == ~place->key);
    }
  }

  Transaction& t_;
  Ref<TestGraph> graph_;
};

inline rc::Gen<HeapOperation> heap_operations() {
  const auto byte = rc::gen::arbitrary<std::uint8_t>();
  return rc::gen::build<HeapOperation>(
      rc::gen::set(&HeapOperation::action,
                   rc::gen::map(rc::gen::inRange(0, kHeapActions + 8),
                                [](int i) {  // making and linking more often than the rest
                                  return static_cast<HeapAction>(i < kHeapActions ? i : i % 2);
                                })),
      rc::gen::set(&HeapOperation::a, byte), rc::gen::set(&HeapOperation::b, byte),
      rc::gen::set(&HeapOperation::c, byte),
      rc::gen::set(&HeapOperation::cancel,
                   rc::gen::map(rc::gen::inRange(0, 10), [](int i) { return i == 0; })));
}

/// What each node does.
using HeapProgram = std::vector<std::vector<HeapOperation>>;

inline rc::Gen<HeapProgram> heap_programs(std::size_t nodes, int most) {
  return rc::gen::container<HeapProgram>(
      nodes,
      rc::gen::resize(most, rc::gen::container<std::vector<HeapOperation>>(heap_operations())));
}

/// Carries a program out on a node. An operation for which there is no room does not happen.
template <class Node>
void carry_out(Node& node, const std::vector<HeapOperation>& operations, bool verify_each) {
  for (const auto& operation : operations) {
    const auto outcome = node.try_run([&](Transaction& t) -> Verdict {
      HeapActor(t).act(operation);
      if (verify_each) {
        const auto report = verify_heap(t);
        if (!report.ok()) RC_FAIL(to_words(report));
      }
      return operation.cancel ? t.cancel("as planned") : t.commit();
    });
    RC_ASSERT(outcome.committed() || outcome.out_of_memory() || operation.cancel);
  }
}

}  // namespace plurix::testing

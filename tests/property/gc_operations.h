// What programs may do to a graph that collectors work on, as values. The graph knows itself what
// it should be: beside each link stands the key of what it leads to, so an object that was freed
// while something led to it is noticed by whoever comes by.
#pragma once

#include <plurix/gc/collector.h>
#include <plurix/transaction.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <ostream>
#include <unordered_set>
#include <vector>

#include "support/lone_node.h"
#include "workloads/mark_sweep.h"

namespace plurix::testing {

/// Small ones make every cycle take several transactions.
struct DrawnBudget {
  std::uint8_t number = 0;

  gc::Budget budget() const {
    constexpr std::uint32_t kWork[] = {0, 600, 2'000, 8'000};
    return {.work = kWork[number % 4], .pages_written = number % 13u};
  }
  friend std::ostream& operator<<(std::ostream& out, const DrawnBudget& drawn) {
    return out << "budget " << int(drawn.number);
  }
};

enum class KnotAction : std::uint8_t {
  kMake,      ///< a new knot takes a place
  kRing,      ///< a ring of several takes a place, or none
  kLink,      ///< an edge leads to another place's knot
  kUnlink,    ///< an edge leads nowhere
  kDrop,      ///< a place is emptied
  kFollow,    ///< a place takes what some steps along the edges lead to
  kWeaken,    ///< a weak edge leads to another place's knot
  kRevive,    ///< a place takes what a weak edge leads to
  kRelocate,  ///< a knot is moved
  kEvacuate,  ///< a page is emptied
  kPopular,   ///< a knot gets a chain a node
  kCollect,   ///< some steps of the collector
};
inline constexpr int kKnotActions = 12;

struct KnotOperation {
  KnotAction action = KnotAction::kMake;
  std::uint8_t a = 0;
  std::uint8_t b = 0;
  std::uint8_t c = 0;

  friend std::ostream& operator<<(std::ostream& out, const KnotOperation& o) {
    return out << "{KnotAction(" << int(o.action) << "), " << int(o.a) << ", " << int(o.b) << ", "
               << int(o.c) << "}";
  }
};

struct Knot {
  std::uint64_t key = 0;
  Link<Knot> edges[3];
  std::uint64_t keys[3] = {};  ///< of what the edges lead to; 0: nothing
  Link<Knot> weak;
  Link<Array<Link<Knot>>> table;  ///< of what the knot is in a ring with
};

inline constexpr std::size_t kKnotPlaces = 8;

struct KnotTable {
  Link<Knot> places[kKnotPlaces];
  std::uint64_t keys[kKnotPlaces] = {};
};

/// Does one operation in a transaction.
class KnotActor {
 public:
  KnotActor(Transaction& t, std::uint64_t key)
      : t_(t), table_(t.root<KnotTable>("knots")), key_(key) {}

  void act(const KnotOperation& o) {
    const auto place = o.a % kKnotPlaces;
    const Ref<Knot> knot = table_->places[place];
    if (o.action == KnotAction::kMake) return put(place, t_.make<Knot>(key_));
    if (o.action == KnotAction::kRing) return make_ring(o);
    if (o.action == KnotAction::kDrop) return put(place, {});
    if (o.action == KnotAction::kEvacuate) return evacuate(o.b);
    if (!knot) return;
    change(knot, o);
  }

  /// What is wrong about everything a root leads to: 0 if nothing is.
  static std::uint64_t count_wrong(Transaction& t) {
    std::unordered_set<std::uint64_t> seen;
    std::vector<Ref<Knot>> grey;
    std::uint64_t wrong = 0;
    const auto visit = [&](const Link<Knot>& link, std::uint64_t key) {
      if (!link != (key == 0)) ++wrong;
      if (!link) return;
      if (link->key != key) ++wrong;
      if (seen.insert(link.target()).second) grey.push_back(link.ref());
    };
    const auto table = t.root<KnotTable>("knots");
    for (std::size_t i = 0; i < kKnotPlaces; ++i) visit(table->places[i], table->keys[i]);
    while (!grey.empty()) {
      const auto knot = grey.back();
      grey.pop_back();
      for (int i = 0; i < 3; ++i) visit(knot->edges[i], knot->keys[i]);
    }
    return wrong;
  }

 private:
  void change(const Ref<Knot>& knot, const KnotOperation& o) {
    const Ref<Knot> other = table_->places[o.b % kKnotPlaces];
    switch (o.action) {
      case KnotAction::kLink:
        return tie(knot, o.c % 3, other);
      case KnotAction::kUnlink:
        return tie(knot, o.c % 3, {});
      case KnotAction::kFollow:
        return put(o.b % kKnotPlaces, follow(knot, o.c));
      case KnotAction::kWeaken:
        if (other) knot.mut()->weak.assign_weak(other);
        return;
      case KnotAction::kRevive:
        if (knot->weak) put(o.b % kKnotPlaces, knot->weak);
        return;
      case KnotAction::kRelocate:
        (void)t_.relocate(knot);
        return;
      case KnotAction::kPopular:
        return t_.expect_many_links(knot);
      default:
        return;
    }
  }

  void put(std::size_t place, const Ref<Knot>& knot) {
    table_.mut()->places[place] = knot;
    table_.mut()->keys[place] = knot ? knot->key : 0;
  }

  static void tie(const Ref<Knot>& knot, int edge, const Ref<Knot>& other) {
    knot.mut()->edges[edge] = other;
    knot.mut()->keys[edge] = other ? other->key : 0;
  }

  /// Of up to 256 knots, on many pages. Some rings' knots own others that lead back by weak edges,
  /// and some rings have a table, of up to 1,020 links.
  void make_ring(const KnotOperation& o) {
    const auto first = t_.make<Knot>(key_);
    auto last = first;
    for (int i = 0; i < o.b; ++i) {
      const auto next = t_.make<Knot>(key_);
      tie(last, 0, next);
      if (i % 5 == 0) tie(next, 1, first);
      if (o.c % 8 > 4) own_one(next, i % 2 == 0 ? first : last);
      last = next;
    }
    tie(last, 0, first);
    if (o.c % 16 > 11) set_table(last, 4 * o.b);
    if (o.c % 4 != 0) put(o.a % kKnotPlaces, first);
  }

  void own_one(const Ref<Knot>& owner, const Ref<Knot>& back) {
    const auto owned = t_.make<Knot>(key_);
    owned.mut()->weak.assign_weak(back);
    tie(owner, 2, owned);
  }

  void set_table(const Ref<Knot>& knot, unsigned links) {
    const auto table = t_.make_array<Link<Knot>>(links);
    knot.mut()->table = table;
    auto at = knot;
    for (auto& link : table.mut_elements()) {
      at = at->edges[0].ref();
      link = at;
    }
  }

  static Ref<Knot> follow(Ref<Knot> knot, unsigned steps) {
    for (; steps > 0; --steps) {
      const Ref<Knot> next = knot->edges[steps % 3 == 2 ? 1 : 0];
      if (!next) break;
      knot = next;
    }
    return knot;
  }

  void evacuate(std::uint8_t b) {
    const auto r = heap::regions(t_.pages());
    heap::evacuate(t_, r.first + b % (r.end - r.first));
  }

  Transaction& t_;
  Ref<KnotTable> table_;
  const std::uint64_t key_;
};

inline rc::Gen<DrawnBudget> budgets() {
  return rc::gen::build<DrawnBudget>(
      rc::gen::set(&DrawnBudget::number, rc::gen::arbitrary<std::uint8_t>()));
}

inline rc::Gen<KnotOperation> knot_operations() {
  const auto byte = rc::gen::arbitrary<std::uint8_t>();
  return rc::gen::build<KnotOperation>(
      rc::gen::set(&KnotOperation::action,
                   rc::gen::map(rc::gen::inRange(0, kKnotActions + 6),
                                [](int i) {  // making rings and collecting more often
                                  if (i < kKnotActions) return static_cast<KnotAction>(i);
                                  return i % 3 == 0 ? KnotAction::kRing : KnotAction::kCollect;
                                })),
      rc::gen::set(&KnotOperation::a, byte), rc::gen::set(&KnotOperation::b, byte),
      rc::gen::set(&KnotOperation::c, byte));
}

using KnotProgram = std::vector<std::vector<KnotOperation>>;

inline rc::Gen<KnotProgram> knot_programs(std::size_t nodes, int most) {
  return rc::gen::container<KnotProgram>(
      nodes,
      rc::gen::resize(most, rc::gen::container<std::vector<KnotOperation>>(knot_operations())));
}

}  // namespace plurix::testing

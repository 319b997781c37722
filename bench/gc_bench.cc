// What garbage costs: freeing objects that nothing leads to any more, in trees and in cycles,
// beside a plain reference count, shared_ptr and libpmemobj's transactions; and the longest pause,
// beside Boehm's collector.
#include "support/boehm.h"
#include "support/node.h"
#include "support/peer_allocators.h"
#include "support/report.h"
#include "support/samples.h"

#include "workloads/owned_collector.h"

#include <cstdlib>
#include <memory>
#include <thread>

namespace plurix::bench {
namespace {

constexpr int kRing = 20;

struct Vertex {
  long value;
  Link<Vertex> left;
  Link<Vertex> right;
};

struct Garden {
  Link<Vertex> tree;
  Link<Array<Link<Vertex>>> rings;
};

/// The yardstick: a count in each object, freed when it falls to zero.
struct Counted {
  long count;
  Counted* left;
  Counted* right;
  long value;
};

struct Shared {
  long value;
  std::shared_ptr<Shared> left;
  std::shared_ptr<Shared> right;
};

class Bench {
 public:
  explicit Bench(int objects) : objects_(objects), node_(options()), collector_(node_) {}

  /// Nanoseconds an object from the first step after a drop to the last, commits included.
  double trees() {
    node_.run([this](Transaction& t) { garden(t).mut()->tree = tree(t, objects_); });
    collector_.collect_all(node_);
    node_.run([this](Transaction& t) { garden(t).mut()->tree = nullptr; });
    return collect();
  }

  double rings() {
    node_.run([this](Transaction& t) {
      const auto rings = t.make_array<Link<Vertex>>(static_cast<std::size_t>(objects_ / kRing));
      garden(t).mut()->rings = rings;
      for (auto& link : rings.mut_elements()) link = ring(t);
    });
    collector_.collect_all(node_);
    node_.run([this](Transaction& t) { garden(t).mut()->rings = nullptr; });
    return collect();
  }

  double counted() const {
    auto* root = counted_tree(objects_);
    return microseconds_of([&] { release(root); }) * 1e3 / objects_;
  }

  double shared() const {
    auto root = shared_tree(objects_);
    return microseconds_of([&] { root.reset(); }) * 1e3 / objects_;
  }

  bool has_pmemobj() const { return pool_.usable(); }
  double by_pmemobj() { return pool_.free_in_transactions(objects_, sizeof(Vertex)); }

  double longest_us() { return static_cast<double>(collector_->counters().longest.ns) / 1e3; }

 private:
  static posix::NodeOptions options() {
    auto options = node_options(fresh_cluster(), true);
    options.heap_bytes = std::size_t{64} << 20;
    return options;
  }

  static Ref<Garden> garden(Transaction& t) { return t.root<Garden>("garden"); }

  static Ref<Vertex> tree(Transaction& t, int count) {
    const auto vertex = t.make<Vertex>(count);
    const auto below = count - 1;
    if (below > 0) vertex.mut()->left = tree(t, (below + 1) / 2);
    if (below > 1) vertex.mut()->right = tree(t, below / 2);
    return vertex;
  }

  static Ref<Vertex> ring(Transaction& t) {
    const auto first = t.make<Vertex>();
    auto last = first;
    for (int i = 1; i < kRing; ++i) {
      const auto next = t.make<Vertex>(i);
      last.mut()->right = next;
      last = next;
    }
    last.mut()->right = first;
    return first;
  }

  double collect() {
    return microseconds_of([this] { collector_.collect_all(node_); }) * 1e3 / objects_;
  }

  static Counted* counted_tree(int count) {
    if (count <= 0) return nullptr;
    auto* object = static_cast<Counted*>(std::malloc(sizeof(Counted)));
    *object = {1, counted_tree(count / 2), counted_tree(count - 1 - count / 2), count};
    return object;
  }

  static std::shared_ptr<Shared> shared_tree(int count) {
    if (count <= 0) return nullptr;
    auto object = std::make_shared<Shared>(count);
    object->left = shared_tree(count / 2);
    object->right = shared_tree(count - 1 - count / 2);
    return object;
  }

  static void release(Counted* object) {
    if (object == nullptr || --object->count > 0) return;
    release(object->left);
    release(object->right);
    std::free(object);
  }

  const int objects_;
  posix::Node node_;
  workloads::OwnedCollector<posix::Node> collector_;
  PmemPool pool_;
};

struct Medians {
  Samples trees, rings, counted, shared, by_pmemobj;
};

void report_garbage(const Report& report, Medians& m) {
  const auto trees = m.trees.median();
  const auto counted = m.counted.median();
  report.add({"garbage in trees", trees, counted, Aim::ratio_at_most(3)});
  report.add({"garbage in rings of 20", m.rings.median(), counted, Aim::ratio_at_most(3)});
  report.add({"garbage in trees (beside: shared_ptr)", trees, m.shared.median(), Aim::none()});
  if (m.by_pmemobj.size() == 0) {
    return report.skip("garbage in trees, beside libpmemobj", "libpmemobj-dev is not installed");
  }
  report.add({"garbage in trees (beside: libpmemobj, in transactions)", trees,
              m.by_pmemobj.median(), Aim::none()});
}

/// Boehm's longest pauses, in children of a process that has done nothing yet.
struct BoehmPauses {
  explicit BoehmPauses(bool smoke) {
    if (!has_boehm()) return;
    const int live = smoke ? 10'000 : 1'000'000;
    const int garbage = smoke ? 2'000 : 100'000;
    whole_us = run_boehm(false, live, garbage).longest_pause_us;
    incremental_us = run_boehm(true, live, garbage).longest_pause_us;
  }
  double whole_us = 0;
  double incremental_us = 0;
};

void report_pauses(const Report& report, double longest, const BoehmPauses& boehm) {
  report.add({"longest pause, us", longest, 0, Aim::figure_at_most(1'000)});
  if (!has_boehm()) return report.skip("beside Boehm's collector", "libgc-dev is not installed");
  report.add({"longest pause, us (beside: Boehm, stopping the world)", longest, boehm.whole_us,
              Aim::none()});
  report.add({"longest pause, us (beside: Boehm, incremental)", longest, boehm.incremental_us,
              Aim::none()});
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  const auto options = parse_options(argc, argv, "gc_bench: what garbage costs");
  const Report report(options, "gc", "ns each", "a plain reference count");
  const int objects = options.smoke ? 2'000 : 40'000;
  const BoehmPauses boehm(options.smoke);
  Medians medians;
  double longest = 0;
  std::thread([] {}).join();  // or shared_ptr counts without atomics, as no server's does
  {
    Bench bench(objects);
    for (int i = options.smoke ? 1 : 15; i > 0; --i) {
      medians.trees.add(bench.trees());
      medians.rings.add(bench.rings());
      medians.counted.add(bench.counted());
      medians.shared.add(bench.shared());
      if (bench.has_pmemobj()) medians.by_pmemobj.add(bench.by_pmemobj());
    }
    longest = bench.longest_us();
  }
  report_garbage(report, medians);
  report_pauses(report, longest, boehm);
}

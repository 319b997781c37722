// Collectors of several nodes while all of them change the graph, on a bad network (DESIGN H3):
// nothing is freed that something leads to, and in the end nothing is left that nothing leads to. A
// failing case is shrunk, and printed with the RC_PARAMS that replay it.
#include <plurix/heap/verify.h>
#include <plurix/sim/rapidcheck.h>
#include <plurix/sim/run.h>

#include "property/gc_operations.h"
#include "support/lone_collector.h"

namespace plurix::testing {
namespace {

constexpr std::uint32_t kPages = 192;

/// A unique key: who, and a running number.
std::uint64_t key_of(std::size_t node, std::uint64_t number) { return (node + 1) << 32 | number; }

template <class Node>
void expect_sound(Node& node) {
  std::uint64_t wrong = 0;
  HeapReport report;
  node.run([&](Transaction& t) {
    wrong = KnotActor::count_wrong(t);
    report = verify_heap(t);
  });
  if (wrong != 0) RC_FAIL(std::to_string(wrong) + " links do not lead where they should");
  if (!report.ok()) RC_FAIL(to_words(report));
}

/// Carries operations out; `next` and `number` survive a crash.
template <class Node, class Collector>
void carry_out(Node& node, Collector& collector, const std::vector<KnotOperation>& operations,
               std::size_t index, std::size_t& next) {
  while (next < operations.size()) {
    const auto operation = operations[next++];
    if (operation.action == KnotAction::kCollect) {
      for (unsigned i = 0; i <= operation.b % 4u; ++i) {
        (void)collector->collect(
            operation.c % 2 == 0 ? gc::Occasion::kIdle : gc::Occasion::kBetweenTransactions,
            DrawnBudget{operation.a}.budget());
      }
      continue;
    }
    const auto outcome =
        node.try_run([&](Transaction& t) { KnotActor(t, key_of(index, next)).act(operation); });
    RC_ASSERT(outcome.committed() || outcome.out_of_memory());
  }
}

RC_GTEST_PROP(CollectorOfOneNode, FreesExactlyTheGarbage, ()) {
  LoneCollector lone(kPages);
  auto& node = lone.node().node();
  auto* collector = &lone.collector();
  const auto program = *knot_programs(1, 60);
  std::size_t next = 0;
  std::vector<KnotOperation> one(1);
  for (const auto& operation : program[0]) {
    std::size_t at = 0;
    one[0] = operation;
    const auto before = node.run([](Transaction& t) { return reachable(t).objects; });
    carry_out(node, collector, one, next++, at);
    if (operation.action != KnotAction::kCollect) continue;
    const auto after = node.run([](Transaction& t) { return reachable(t).objects; });
    RC_ASSERT(before == after);
    expect_sound(node);
  }
  RC_ASSERT(lone.collect_all((*budgets()).budget()) > 0);
  RC_ASSERT(lone.garbage() == 0u);
  expect_sound(node);
}

sim::ClusterOptions options_for(std::size_t nodes, const sim::RunOptions& run) {
  sim::ClusterOptions options;
  options.nodes = nodes;
  options.seed = run.seed;
  options.faults = run.faults.links;
  options.node = run.node;
  options.node.core.words_per_packet = 8;
  options.node.core.shadow_pages = 96;
  options.node.core.log_words = 1024;
  options.heap_pages = kPages;
  options.page_server = run.faults.has_crash();
  if (options.page_server) sim::watch_closely(options.node.core);
  return options;
}

/// One program on a cluster, to the point where nothing is left to collect.
class Run {
 public:
  Run(const KnotProgram& program, const sim::RunOptions& run, const DrawnBudget& budget)
      : program_(program),
        cluster_(options_for(program.size(), run)),
        budget_(budget.budget()),
        next_(program.size()) {
    sim::plan_faults(cluster_, run.faults, counts_);
  }

  void run() {
    cluster_.run([this](auto& node, std::size_t index) { live(node, index); });
  }

 private:
  template <class Node>
  void live(Node& node, std::size_t index) {
    OwnedCollector<Node> collector(node, kPages);
    carry_out(node, collector, program_[index], index, next_[index]);
    const auto limit = node.now() + milliseconds(60'000);
    while (!over_) {
      const bool more = collector->collect(gc::Occasion::kIdle, budget_);
      if (index == 0 && !more && all_ended()) look(node);
      if (node.now() >= limit) return;  // the first node tells
      node.serve(node.now() + microseconds(more ? 100 : 2'000));
    }
  }

  bool all_ended() const {
    for (std::size_t i = 0; i < next_.size(); ++i) {
      if (next_[i] < program_[i].size()) return false;
    }
    return true;
  }

  template <class Node>
  void look(Node& node) {
    expect_sound(node);
    const auto garbage = node.run([](Transaction& t) { return reachable(t).garbage; });
    over_ = garbage == 0;
    if (++looks_ > 2'000) RC_FAIL(std::to_string(garbage) + " objects of garbage stay");
  }

  const KnotProgram& program_;
  sim::Cluster<Fair> cluster_;
  sim::FaultCounts counts_{};
  const gc::Budget budget_;
  std::vector<std::size_t> next_;
  bool over_ = false;
  int looks_ = 0;
};

RC_GTEST_PROP(SimulatedCollectors, FreeExactlyTheGarbage, ()) {
  const auto nodes = *rc::gen::inRange<std::uint32_t>(2, 5);
  const auto program = *knot_programs(nodes, 40);
  const auto options = *sim::run_options(nodes);
  Run(program, options, *budgets()).run();
}

struct Ring {
  long value;
  Link<Ring> next;
};
struct Hold {
  Link<Ring> links[8];
};

/// Candidates of a ring stand in one node's queue; while its collector follows one of them, another
/// node takes away the last link from outside, which leads to one that is still in the queue.
class LostAgain {
 public:
  LostAgain(int length, int steps) : length_(length), steps_(steps) {}

  std::uint64_t garbage_left() {
    sim::RunOptions run;
    run.seed = 7;
    sim::Cluster<Fair> cluster(options_for(2, run));
    cluster.run([this](auto& node, std::size_t index) {
      OwnedCollector collector(node, kPages);
      index == 0 ? follow(node, collector) : take_away(node, collector);
    });
    return garbage_;
  }

 private:
  enum Stage { kBuilt = 1, kFollowed, kTakenAway, kAllCollected };

  template <class Node>
  void reach(Node& node, Stage stage) const {
    while (stage_ < stage) node.serve(node.now() + microseconds(100));
  }

  template <class Node>
  static void collect_all(Node& node, OwnedCollector<Node>& collector) {
    while (collector->collect()) node.serve(node.now() + microseconds(100));
  }

  template <class Node>
  void follow(Node& node, OwnedCollector<Node>& collector) {
    node.run([this](Transaction& t) {
      const auto hold = t.root<Hold>("hold");
      const auto first = t.make<Ring>();
      auto last = first;
      for (int i = 1; i < length_; ++i) {
        const auto next = t.make<Ring>(i);
        last.mut()->next = next;
        last = next;
        if (i >= length_ - 6) hold.mut()->links[2 + length_ - 1 - i] = next;
      }
      last.mut()->next = first;
      hold.mut()->links[0] = first;
      hold.mut()->links[1] = first;
    });
    collect_all(node, collector);
    if (length_ % 2 == 1) (void)collector->collect();  // whose turn it is: candidates', or trials'
    node.run([](Transaction& t) {
      const auto hold = t.root<Hold>("hold");
      for (std::size_t i = 1; i < 8; ++i) hold.mut()->links[i] = nullptr;
    });
    stage_ = kBuilt;
    for (int i = 0; i < steps_; ++i) (void)collector->collect(gc::Occasion::kIdle, {0, 0});
    stage_ = kFollowed;
    reach(node, kTakenAway);
    collect_all(node, collector);
    garbage_ = node.run([](Transaction& t) { return reachable(t).garbage; });
    stage_ = kAllCollected;
  }

  template <class Node>
  void take_away(Node& node, OwnedCollector<Node>& collector) {
    reach(node, kFollowed);
    node.run([](Transaction& t) { t.root<Hold>("hold").mut()->links[0] = nullptr; });
    collect_all(node, collector);
    stage_ = kTakenAway;
    reach(node, kAllCollected);
  }

  const int length_;
  const int steps_;
  int stage_ = 0;
  std::uint64_t garbage_ = 0;
};

TEST(SimulatedCollectors, FindACandidateThatHasLostAnotherLinkSinceItWasEntered) {
  for (int length = 40; length < 160; length += 5) {
    for (int steps = 0; steps < 12; ++steps) {
      EXPECT_EQ(LostAgain(length, steps).garbage_left(), 0u) << length << " " << steps;
    }
  }
}

}  // namespace
}  // namespace plurix::testing

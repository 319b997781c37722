// Every operation of the heap by one node and by several, on a bad network, with the whole heap
// verified after each transaction (DESIGN H1, H2, H4). A failing case is shrunk, and printed with
// the RC_PARAMS that replay it.
#include <plurix/sim/rapidcheck.h>
#include <plurix/sim/run.h>

#include "property/heap_operations.h"

namespace plurix::testing {
namespace {

RC_GTEST_PROP(HeapOfOneNode, IsSoundAfterEveryOperation, ()) {
  LoneNode node(*rc::gen::element(40u, 96u));
  carry_out(node.node(), (*heap_programs(1, 200))[0], true);
}

sim::ClusterOptions options_for(std::size_t nodes, const sim::RunOptions& run) {
  sim::ClusterOptions options;
  options.nodes = nodes;
  options.seed = run.seed;
  options.faults = run.faults.links;
  options.node = run.node;
  options.node.core.words_per_packet = 8;
  options.node.core.shadow_pages = 64;
  options.node.core.log_words = 1024;
  options.heap_pages = 96;
  return options;
}

/// Runs the program on a simulated cluster; what went wrong in words.
void run_program(const HeapProgram& program, const sim::RunOptions& run, bool verify_each) {
  sim::Cluster<Fair> cluster(options_for(program.size(), run));
  sim::FaultCounts counts{};
  sim::plan_faults(cluster, run.faults, counts);
  HeapReport report;
  std::size_t ended = 0;
  cluster.run([&](auto& node, std::size_t index) {
    carry_out(node, program[index], verify_each);
    if (++ended == program.size()) {
      report = node.run([](Transaction& t) { return verify_heap(t); });
    }
  });
  if (!report.ok()) RC_FAIL(to_words(report));
}

RC_GTEST_PROP(SimulatedHeap, IsSoundAfterEveryTransactionOfEveryNode, ()) {
  const auto nodes = *rc::gen::inRange<std::uint32_t>(2, 5);
  run_program(*heap_programs(nodes, 30), *sim::run_options(nodes), true);
}

// Without reading everything in each transaction, so that what one reads can matter.
RC_GTEST_PROP(SimulatedHeap, IsSoundInTheEnd, ()) {
  const auto nodes = *rc::gen::inRange<std::uint32_t>(2, 6);
  run_program(*heap_programs(nodes, 100), *sim::run_options(nodes), false);
}

// After each has its pages, no allocation of one dooms an attempt of another.
TEST(SimulatedHeap, NodesThatAllocateDoNotCollide) {
  sim::ClusterOptions options;
  options.nodes = 3;
  options.heap_pages = 512;
  sim::Cluster<Fair> cluster(options);
  std::uint64_t aborted = 0;
  cluster.run([&](auto& node, std::size_t) {
    const auto allocate = [](Transaction& t) {
      for (int i = 0; i < 10; ++i) (void)t.make<TestVertex>();
    };
    node.run(allocate);
    node.serve(node.now() + milliseconds(50));
    const auto before = node.counters().aborted;
    for (int i = 0; i < 2; ++i) node.run(allocate);
    aborted += node.counters().aborted - before;
  });
  EXPECT_EQ(aborted, 0u);
}

/// Attempts aborted while two nodes link to one object, each from its own, in turns.
std::uint64_t aborted_by_linking(bool popular) {
  sim::ClusterOptions options;
  options.nodes = 2;
  options.heap_pages = 128;
  sim::Cluster<Fair> cluster(options);
  std::uint64_t aborted = 0;
  int ready = 0;
  cluster.run([&](auto& node, std::size_t) {
    node.run([&](Transaction& t) {
      (void)t.own_root<TestGraph>("graph");
      if (popular) t.expect_many_links(t.root<TestVertex>("target"));
    });
    const auto relink = [](Transaction& t) {
      auto& link = t.own_root<TestGraph>("graph").mut()->places[0];
      link = nullptr;
      link = t.root<TestVertex>("target");
    };
    for (int i = 0; i < 2; ++i) node.run(relink);  // now it is a candidate, which is noted once
    ++ready;
    while (ready < 2) node.serve(node.now() + milliseconds(1));
    const auto before = node.counters().aborted;
    for (int i = 0; i < 100; ++i) node.run(relink);
    aborted += node.counters().aborted - before;
  });
  return aborted;
}

TEST(SimulatedHeap, NodesThatLinkToAPopularObjectDoNotCollide) {
  EXPECT_GT(aborted_by_linking(false), 0u);
  EXPECT_EQ(aborted_by_linking(true), 0u);
}

}  // namespace
}  // namespace plurix::testing

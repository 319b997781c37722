// What the graph workload says of a heap that is not its own alone.
#include <gtest/gtest.h>

#include "support/lone_collector.h"
#include "workloads/graph.h"
#include "workloads/words.h"

namespace plurix::testing {
namespace {

using workloads::Recorder;

class GraphWorkload : public ::testing::Test {
 protected:
  auto& node() { return here_.node().node(); }

  template <class Workload>
  void work(int steps) {
    Workload workload;
    Recorder recorder(1, {}, Workload::key_name);
    workload.setup(node(), recorder);
    for (int i = 0; i < steps; ++i)
      EXPECT_EQ(workload.step(node(), recorder, prng_), Status::kCommitted);
  }
  auto verify() { return workloads::Graph().verify(node()); }

  LoneCollector here_{1024};
  Prng prng_{7};
};

TEST_F(GraphWorkload, DoesNotTakeTheObjectsOfOtherWorkloadsForLeaked) {
  work<workloads::Disjoint>(3);
  work<workloads::Counter>(3);
  work<workloads::Graph>(200);
  here_.collect_all();
  const auto found = verify();
  EXPECT_TRUE(found.ok) << found.words;
}

TEST_F(GraphWorkload, TellsHowManyObjectsHaveLeaked) {
  work<workloads::Graph>(200);
  here_.collect_all();
  struct Lost {
    std::int64_t value;
  };
  node().run([](Transaction& t) { (void)t.make<Lost>(); });
  const auto found = verify();
  EXPECT_FALSE(found.ok);
  EXPECT_NE(found.words.find("1 leaked"), std::string::npos) << found.words;
}

}  // namespace
}  // namespace plurix::testing

#include <gtest/gtest.h>
#include <plurix/commit/fair.h>
#include <plurix/sim/checkers/bounded_memory.h>

#include "support/made_up_node.h"

namespace plurix::testing {
namespace {

TEST(BoundedMemory, FullIsFineAndOneMoreIsSeen) {
  sim::Usage usage[] = {{"pages written", 2, 4}, {"records in the log", 64, 64}};
  EXPECT_EQ(objection([&] { sim::check_bounded(3, usage); }), "");
  usage[1].used = 65;
  EXPECT_EQ(objection([&] { sim::check_bounded(3, usage); }),
            "memory: node 3 has 65 records in the log; the limit is 64");
}

TEST(BoundedMemory, OfANewNodeIsEmpty) {
  CoreConfig config;
  config.geometry.pages = 8;
  config.shadow_pages = 4;
  std::vector<std::byte> frames(config.geometry.bytes());
  std::vector<std::byte> storage(ProtocolCore::storage_needed(config));
  const Protocol<Fair> node(config, frames.data(), storage);
  for (const auto& entry : sim::usage_of(node)) {
    EXPECT_EQ(entry.used, 0u) << entry.what;
    EXPECT_GT(entry.limit, 0u) << entry.what;
  }
}

}  // namespace
}  // namespace plurix::testing

#include <gtest/gtest.h>
#include <plurix/sim/checkers/whole_commits.h>

#include "support/made_up_node.h"

namespace plurix::testing {
namespace {

struct WholeCommits : ::testing::Test {
  WholeCommits() {
    for (std::uint16_t i = 0; i < 3; ++i) {
      const auto header = packet_header(1u + i, 0, i, 3);
      (void)commits.learn(0, header.time, record_of(header, {i}));
    }
  }

  std::string look(std::uint64_t applied) {
    node.state.applied = {applied};
    return objection([&] { sim::check_whole_commits(commits, node.state); });
  }

  sim::CommitTimesChecker commits{MadeUpNode::kPages};
  MadeUpNode node{1};
};

TEST_F(WholeCommits, BeforeAndBehindIsFine) {
  EXPECT_EQ(look(0), "");
  EXPECT_EQ(look(3), "");
}

TEST_F(WholeCommits, NodeInsideACommitIsSeen) {
  EXPECT_EQ(look(2),
            "P3: node 1 stands at commit time 2, inside a commit: that is packet 2 of 3 by node 0");
}

TEST_F(WholeCommits, NodeThatServesNobodyIsNotJudged) {
  node.state.in_service = false;
  EXPECT_EQ(look(2), "");
}

sim::CommittedRecord packet(std::uint16_t index, std::uint16_t count, NodeId writer = 0) {
  return {packet_header(10u + index, writer, index, count), {}};
}

std::string follow(const sim::CommittedRecord* previous, const sim::CommittedRecord& next) {
  return objection([&] { sim::check_packets_follow(previous, next); });
}

TEST(PacketsFollow, EachOtherOrAWholeCommit) {
  const auto first = packet(0, 2);
  const auto last = packet(1, 2);
  EXPECT_EQ(follow(nullptr, first), "");
  EXPECT_EQ(follow(&first, last), "");
  EXPECT_EQ(follow(&last, packet(0, 1)), "");
}

TEST(PacketsFollow, AndTheRestOfACommitIsMissed) {
  const auto first = packet(0, 2);
  EXPECT_EQ(follow(&first, packet(0, 1, 1)),
            "P3: commit time 10 is packet 1 of 1 by node 1, but before it stands packet 1 of 2 by "
            "node 0");
  EXPECT_NE(follow(&first, packet(1, 2, 1)), "") << "another writer's packet";
  EXPECT_EQ(follow(nullptr, packet(1, 2)),
            "P3: commit time 11 is packet 2 of 2 by node 0, but before it stands a whole commit");
}

}  // namespace
}  // namespace plurix::testing

#include <gtest/gtest.h>
#include <plurix/sim/checkers/one_owner.h>

#include "support/made_up_node.h"

namespace plurix::testing {
namespace {

/// Page 1 is written by node 0 at time 1, then by node 1 at time 2.
struct OneOwner : ::testing::Test {
  OneOwner() {
    commit(packet_header(1, 0));
    commit(packet_header(2, 1));
  }

  void commit(const wire::RecordHeader& header) {
    owners.learn(*commits.learn(header.writer, header.time, record_of(header, {1})));
  }
  std::string look(const MadeUpNode& node) {
    return objection([&] { owners.check(node.state); });
  }

  sim::CommitTimesChecker commits{MadeUpNode::kPages};
  sim::OwnerChecker owners;
};

TEST_F(OneOwner, LateNodeOwnsWhatIsStillItsOwnAtItsTime) {
  MadeUpNode late(0, 1);
  EXPECT_EQ(look(late.has(1, PageState::kOwned)), "");
}

TEST_F(OneOwner, NodeThatKeepsAPageWrittenElsewhereIsSeen) {
  MadeUpNode keeper(0, 2);
  EXPECT_EQ(look(keeper.has(1, PageState::kOwned)),
            "P2: node 0 owns page 1 at commit time 2, and so does node 1");
  EXPECT_EQ(look(keeper.has(1, PageState::kCopy)), "");
}

TEST_F(OneOwner, NodeThatKeepsWhatAnotherAdoptedIsSeen) {
  auto adoption = packet_header(3, 2);
  adoption.kind = wire::RecordKind::kAdopt;
  commit(adoption);
  MadeUpNode leaver(1, 3);
  EXPECT_EQ(look(leaver.has(1, PageState::kOwned)),
            "P2: node 1 owns page 1 at commit time 3, and so does node 2");
}

TEST_F(OneOwner, OwnershipBeginsWhenTheWholeCommitHasHappened) {
  commit(packet_header(3, 0, 0, 2));
  MadeUpNode before(1, 3);
  EXPECT_EQ(look(before.has(1, PageState::kOwned)), "");
  MadeUpNode after(1, 4);
  EXPECT_NE(look(after.has(1, PageState::kOwned)), "");
}

TEST_F(OneOwner, PageThatNobodyOwnsAnyMoreIsSeen) {
  MadeUpNode a(0, 2);
  MadeUpNode b(1, 2);
  b.has(1, PageState::kOwned);
  const auto look_at_all = [&] {
    const sim::NodeState nodes[] = {a.state, b.state};
    return objection([&] { owners.check_nothing_lost(nodes); });
  };
  EXPECT_EQ(look_at_all(), "");
  b.has(1, PageState::kCopy);
  EXPECT_EQ(look_at_all(), "P2: nobody owns page 1, which has been node 1's since commit time 2");
}

}  // namespace
}  // namespace plurix::testing

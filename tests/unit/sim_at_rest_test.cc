#include <gtest/gtest.h>
#include <plurix/sim/checkers/at_rest.h>

#include "support/made_up_node.h"

namespace plurix::testing {
namespace {

struct AtRest : ::testing::Test {
  AtRest() {
    owner.has(2, PageState::kOwned, 5);
    holder.has(2, PageState::kCopy, 5);
  }

  std::string copies() {
    const sim::NodeState nodes[] = {owner.state, holder.state};
    return objection([&] { sim::check_equal_copies(nodes); });
  }
  std::string times() {
    const sim::NodeState nodes[] = {owner.state, holder.state};
    return objection([&] { sim::check_all_applied(nodes, {9}); });
  }

  MadeUpNode owner{0, 9};
  MadeUpNode holder{1, 9};
};

TEST_F(AtRest, EqualCopiesAtOneTimeAreFine) {
  EXPECT_EQ(copies(), "");
  EXPECT_EQ(times(), "");
}

TEST_F(AtRest, CopyThatDiffersInOneByteIsSeen) {
  holder.has(2, PageState::kCopy, 6);
  EXPECT_EQ(copies(), "T1: the copy of page 2 on node 1 differs from what its owner, node 0, has");
  holder.has(2, PageState::kAbsent, 6);
  EXPECT_EQ(copies(), "") << "what is absent is never looked at";
}

TEST_F(AtRest, NodeThatLagsIsSeen) {
  holder.state.applied = {8};
  EXPECT_EQ(times(), "P4: node 1 rests at commit time 8; the newest is 9");
}

TEST_F(AtRest, NodeThatIsNoMemberIsNotJudged) {
  holder.has(2, PageState::kCopy, 6);
  holder.state.applied = {8};
  holder.state.member = false;
  EXPECT_EQ(copies() + times(), "");
}

}  // namespace
}  // namespace plurix::testing

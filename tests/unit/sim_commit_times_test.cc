#include <gtest/gtest.h>
#include <plurix/sim/checkers/commit_times.h>

#include "support/made_up_node.h"

namespace plurix::testing {
namespace {

struct CommitTimes : ::testing::Test {
  std::string learn(NodeId self, std::uint64_t time, const ByteVector& record) {
    return objection([&] { (void)checker.learn(self, {time}, record); });
  }

  sim::CommitTimesChecker checker{MadeUpNode::kPages};
};

TEST_F(CommitTimes, DenseAndTheSameEverywhereIsFine) {
  const auto first = record_of(packet_header(1, 0), {1, 2});
  EXPECT_EQ(learn(0, 1, first), "");
  EXPECT_EQ(learn(1, 1, first), "");
  EXPECT_EQ(learn(1, 2, record_of(packet_header(2, 1), {3})), "");
  EXPECT_EQ(checker.newest(), CommitTime{2});
  EXPECT_EQ(checker.at({2}).word(0), 3u);
}

TEST_F(CommitTimes, GapIsSeen) {
  EXPECT_EQ(learn(0, 2, record_of(packet_header(2, 0), {1})),
            "P3: node 0 applied commit time 2 before anybody made it; the newest is 0");
}

TEST_F(CommitTimes, RecordNobodyMadeIsSeen) {
  EXPECT_EQ(learn(1, 1, record_of(packet_header(1, 0), {1})),
            "P3: node 1 applied commit time 1 before anybody made it; the newest is 0");
}

TEST_F(CommitTimes, TwoCommitsOfOneTimeAreSeen) {
  EXPECT_EQ(learn(0, 1, record_of(packet_header(1, 0), {1})), "");
  EXPECT_EQ(learn(1, 1, record_of(packet_header(1, 1), {1})),
            "P3: commit time 1 is two different commits: node 0 made one, node 1 has another");
}

TEST_F(CommitTimes, RecordThatNamesAnotherPageSomewhereIsSeen) {
  EXPECT_EQ(learn(0, 1, record_of(packet_header(1, 0), {1})), "");
  EXPECT_NE(learn(1, 1, record_of(packet_header(1, 0), {2})), "");
}

TEST_F(CommitTimes, RecordThatNobodyCouldReadIsSeen) {
  const auto beyond = record_of(packet_header(1, 0), {MadeUpNode::kPages});
  EXPECT_EQ(learn(0, 1, beyond), "P3: the record of commit time 1 on node 0 is malformed");
}

TEST_F(CommitTimes, StepBackIsSeen) {
  EXPECT_EQ(objection([&] { checker.check_forward(2, {4}, {4}); }), "");
  EXPECT_EQ(objection([&] { checker.check_forward(2, {4}, {3}); }),
            "P3: node 2 went back from 4 to 3");
}

}  // namespace
}  // namespace plurix::testing

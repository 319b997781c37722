#include <gtest/gtest.h>
#include <plurix/sim/checkers/one_token.h>

#include "support/made_up_node.h"

namespace plurix::testing {
namespace {

using sim::GrantInFlight;
using sim::NodeState;

GrantInFlight grant_to(NodeId node, std::uint32_t number) {
  return {0, 1, node, 100u + node, number};
}

struct OneToken : ::testing::Test {
  std::string look(std::initializer_list<GrantInFlight> grants = {}) {
    const NodeState nodes[] = {a.state, b.state, c.state};
    return objection([&] { sim::check_one_token(nodes, {grants.begin(), grants.size()}); });
  }

  MadeUpNode a{0};
  MadeUpNode b{1};
  MadeUpNode c{2};
};

TEST_F(OneToken, HeldOnceOrUnderWayOnceIsFine) {
  EXPECT_EQ(look(), "");
  EXPECT_EQ(look({grant_to(1, 5), grant_to(1, 5)}), "");
  a.state.holds_token = true;
  EXPECT_EQ(look(), "");
}

TEST_F(OneToken, HeldTwiceIsSeen) {
  a.state.holds_token = c.state.holds_token = true;
  EXPECT_EQ(look(), "P1: two tokens in epoch 1: node 0 holds it and node 2 holds it");
}

TEST_F(OneToken, HeldAndUnderWayIsSeen) {
  a.state.holds_token = true;
  a.state.token_number = 6;
  b.state.token_number = 4;
  EXPECT_EQ(look({grant_to(1, 5)}),
            "P1: two tokens in epoch 1: node 0 holds it and grant 5 is under way to node 1");
}

TEST_F(OneToken, UnderWayToTwoIsSeen) {
  EXPECT_EQ(look({grant_to(1, 5), grant_to(2, 5)}),
            "P1: two tokens in epoch 1: grant 5 is under way to node 1 and grant 5 is under way to "
            "node 2");
  EXPECT_NE(look({grant_to(1, 5), grant_to(1, 6)}), "");
}

TEST_F(OneToken, GrantNobodyWouldTakeIsNone) {
  a.state.holds_token = true;
  b.state.token_number = 5;
  EXPECT_EQ(look({grant_to(1, 5)}), "");  // a late copy
  auto to_former_life = grant_to(1, 7);
  to_former_life.receiver_incarnation = 1;
  EXPECT_EQ(look({to_former_life}), "");
  auto of_old_epoch = grant_to(1, 7);
  of_old_epoch.epoch = 0;
  EXPECT_EQ(look({of_old_epoch}), "");
  b.state.frozen = true;
  EXPECT_EQ(look({grant_to(1, 7)}), "");
  b.state.frozen = false;
  EXPECT_NE(look({grant_to(1, 7)}), "");
  b.state.member = false;
  EXPECT_EQ(look({grant_to(1, 7)}), "");
}

TEST_F(OneToken, EachEpochHasItsOwn) {
  a.state.holds_token = b.state.holds_token = true;
  b.state.epoch = 2;
  EXPECT_EQ(look(), "");
}

TEST(ReadGrant, SeesWhatAReceiverWouldSee) {
  wire::FrameHeader header;
  header.type = wire::MessageType::kTokenGrant;
  header.epoch = 3;
  header.receiver = 2;
  header.receiver_incarnation = 9;
  auto frame = frame_of(header, bytes_of(wire::TokenGrant{7, 0}));
  EXPECT_EQ(sim::read_grant(frame), (GrantInFlight{0, 3, 2, 9, 7}));
  frame.back() ^= std::byte{1};
  EXPECT_EQ(sim::read_grant(frame), std::nullopt) << "a damaged grant will be dropped";
}

}  // namespace
}  // namespace plurix::testing

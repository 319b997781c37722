// Section 2.2, Distributed Shared Memory: sentence by sentence, on cores wired by hand.
#include <gtest/gtest.h>

#include "support/frame_text.h"
#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

constexpr Match kRequests{.type = MessageType::kPageRequest};
constexpr Match kReplies{.type = MessageType::kPageReply};

wire::PageRequest request_in(const Flight& flight) {
  wire::PageRequest request;
  EXPECT_TRUE(wire::read_body(Bytes{flight.bytes}.subspan(sizeof(wire::FrameHeader)), request));
  return request;
}

// Three nodes; node 0 owns pages 4 to 6, whose first word is 42.
class Paper_2_2 : public ::testing::Test {
 protected:
  Paper_2_2() { net_.commit(0, {4, 5, 6}, 42); }

  WiredCores net_{{.nodes = 3}};
};

// "The MMU detects page faults, which are raised if a node requests an object on a page which is
// not locally present."
TEST_F(Paper_2_2, APageThatIsNotLocallyPresentFaults) {
  net_.begin(1);
  EXPECT_EQ(net_.rights(1, 5), Rights::kNone);
  EXPECT_EQ(net_.load(1, 5), std::nullopt);
  EXPECT_FALSE(net_.core(1).is_present(5));
}

TEST_F(Paper_2_2, APageThatIsPresentDoesNotFaultAgain) {
  net_.begin(1);
  net_.load(1, 5);
  net_.deliver_all();
  EXPECT_EQ(net_.load(1, 5), Value{42});
  EXPECT_EQ(net_.rights(1, 5), Rights::kRead);
  EXPECT_EQ(net_.load(1, 5), Value{42});
  EXPECT_TRUE(net_.under_way().empty());
}

// "Each page fault results in a separate network packet which contains the address of the missing
// page (PageRequest)."
TEST_F(Paper_2_2, EachFaultSendsAPacketOfItsOwnWithTheMissingPage) {
  net_.begin(1);
  net_.load(1, 5);
  ASSERT_EQ(net_.under_way().size(), 1u);
  EXPECT_EQ(request_in(net_.take(kRequests)).page, 5u);
  net_.load(1, 6);
  ASSERT_EQ(net_.under_way().size(), 1u);
  EXPECT_EQ(request_in(net_.take(kRequests)).page, 6u);
}

TEST_F(Paper_2_2, APageThatIsOnItsWayIsNotAskedForTwice) {
  net_.begin(1);
  net_.load(1, 5);
  net_.load(1, 5);
  EXPECT_EQ(net_.count(kRequests), 1u);
}

// "This packet is broadcast to all nodes in the cluster …". Beyond the paper: the first try goes to
// the presumed owner alone, every later one to all.
TEST_F(Paper_2_2, ThePacketGoesToThePresumedOwnerAndThenToAllNodes) {
  net_.begin(1);
  net_.load(1, 5);
  ASSERT_EQ(net_.under_way().size(), 1u);
  EXPECT_EQ(net_.under_way()[0].to, 0u);
  net_.lose(kRequests);
  net_.pass_for(1, net_.core(1).core().config.fetch_retry);
  EXPECT_EQ(net_.count({.from = 1, .to = 0, .type = MessageType::kPageRequest}), 1u);
  EXPECT_EQ(net_.count({.from = 1, .to = 2, .type = MessageType::kPageRequest}), 1u);
}

// "… and only the current owner of the page send it to the requesting node."
TEST_F(Paper_2_2, OnlyTheOwnerSendsThePage) {
  // Node 2 has a copy as good as the owner's.
  net_.begin(2);
  net_.load(2, 5);
  net_.deliver_all();
  ASSERT_EQ(net_.load(2, 5), Value{42});

  net_.begin(1);
  net_.load(1, 5);
  net_.lose(kRequests);
  net_.pass_for(1, net_.core(1).core().config.fetch_retry);  // now it asks all
  net_.deliver_first({.to = 2, .type = MessageType::kPageRequest});
  EXPECT_EQ(net_.count({.from = 2}), 0u);
  net_.deliver_first({.to = 0, .type = MessageType::kPageRequest});
  ASSERT_EQ(net_.count(kReplies), 1u);
  const auto reply = net_.take(kReplies);
  EXPECT_EQ(reply.from, 0u);
  EXPECT_EQ(reply.to, 1u);
  net_.deliver(reply);
  EXPECT_EQ(net_.load(1, 5), Value{42});
}

TEST_F(Paper_2_2, WhoCommitsAPageIsItsOwnerFromThenOn) {
  net_.commit(2, {5}, 43);
  net_.begin(1);
  net_.load(1, 5);
  net_.deliver_all();
  EXPECT_EQ(net_.load(1, 5), Value{43});
  EXPECT_EQ(net_.core(2).directory().state(5), PageState::kOwned);
  EXPECT_EQ(net_.core(0).directory().state(5), PageState::kAbsent);
  EXPECT_EQ(net_.counters(2).pages_served, 1u);
}

// "Plurix uses a global address space shared by all nodes" (section 2): who has another one is not
// let in, and is told why.
TEST(Paper_2, ANodeOfAnotherAddressSpaceIsNotLetIn) {
  WiredCores net({.nodes = 2, .later = 1, .pages = {32, 32, 64}});
  net.ask_to_join(2);
  net.deliver_all();
  EXPECT_FALSE(net.core(2).core().member);
  ASSERT_TRUE(net.core(2).membership().refused());
  EXPECT_EQ(net.core(2).membership().refusal().reason, wire::RefusalReason::kGeometry);
  EXPECT_EQ(net.core(2).membership().refusal().geometry.pages, 32u);
}

}  // namespace
}  // namespace plurix::testing

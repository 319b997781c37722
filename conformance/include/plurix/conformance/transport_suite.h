// What every Transport promises, as one typed suite. A model joins with a World:
//
//   struct MyWorld {
//     MyTransport& node(std::size_t i);   // i in 0 … 3, all able to reach each other, no peers
//     Instant now();                      // the clock of `wait`
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(My, TransportSuite, MyWorld);   // in namespace
//                                                                  // plurix::conformance
//
// `static std::string why_unavailable()` may say why the tests are skipped (empty: they are not).
// The world's network must not lose frames on purpose; a wrapper that does is tested on its own.
#pragma once

#include <plurix/concepts/transport.h>

#include <gtest/gtest.h>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace plurix::conformance {

struct Received {
  std::vector<std::byte> bytes;
  Endpoint from;
};

inline std::vector<std::byte> pattern(std::size_t size, unsigned seed = 1) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 31 + seed) & 0xff);
  return bytes;
}

/// Collects what one transport hands out.
class Inbox {
 public:
  FrameSink sink() { return {take, this}; }
  std::size_t size() const { return frames_.size(); }
  const Received& operator[](std::size_t i) const { return frames_.at(i); }

 private:
  static void take(void* self, Bytes frame, const Endpoint& from) noexcept {
    static_cast<Inbox*>(self)->frames_.push_back({{frame.begin(), frame.end()}, from});
  }

  std::vector<Received> frames_;
};

template <class World>
class TransportSuite : public ::testing::Test {
 protected:
  using Model = std::remove_reference_t<decltype(std::declval<World&>().node(0))>;
  static_assert(Transport<Model>);

  void SetUp() override {
    if constexpr (requires { World::why_unavailable(); }) {
      if (const auto why = World::why_unavailable(); !why.empty()) GTEST_SKIP() << why;
    }
    world_ = std::make_unique<World>();
  }

  Model& node(std::size_t i) { return world_->node(i); }
  World& world() { return *world_; }

  /// Makes `to` a peer of `from` under the number `as`.
  void introduce(std::size_t from, std::size_t to, NodeId as) {
    node(from).set_peer(as, node(to).local_endpoint());
  }

  /// Polls node `i` until `count` frames have come or two seconds of its clock have gone.
  void collect(std::size_t i, Inbox& inbox, std::size_t count) {
    const auto deadline = world_->now() + milliseconds(2000);
    while (inbox.size() < count && world_->now() < deadline) {
      if (node(i).poll(inbox.sink()) == 0) node(i).wait(deadline);
    }
  }

  /// Whether nothing comes to node `i` for a while.
  bool stays_silent(std::size_t i) {
    Inbox inbox;
    const auto deadline = world_->now() + milliseconds(20);
    while (world_->now() < deadline) {
      node(i).poll(inbox.sink());
      node(i).wait(deadline);
    }
    return inbox.size() == 0;
  }

 private:
  std::unique_ptr<World> world_;
};

TYPED_TEST_SUITE_P(TransportSuite);

TYPED_TEST_P(TransportSuite, AFrameArrivesUnchangedAndNamesItsSender) {
  this->introduce(0, 1, 1);
  const auto sent = pattern(64);
  this->node(0).send(1, sent, {});
  Inbox inbox;
  this->collect(1, inbox, 1);
  ASSERT_EQ(inbox.size(), 1U);
  EXPECT_EQ(inbox[0].bytes, sent);
  EXPECT_EQ(inbox[0].from, this->node(0).local_endpoint());
}

TYPED_TEST_P(TransportSuite, TheSendersEndpointCanBeAnswered) {
  this->introduce(0, 1, 1);
  this->node(0).send(1, pattern(10), {});
  Inbox there;
  this->collect(1, there, 1);
  ASSERT_EQ(there.size(), 1U);
  this->node(1).send_to(there[0].from, pattern(20), {});
  Inbox back;
  this->collect(0, back, 1);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].bytes, pattern(20));
}

TYPED_TEST_P(TransportSuite, HeadAndPayloadArriveAsOneFrame) {
  this->introduce(0, 1, 1);
  const auto head = pattern(40, 5);
  const auto payload = pattern(4096, 9);
  this->node(0).send(1, head, payload);
  Inbox inbox;
  this->collect(1, inbox, 1);
  ASSERT_EQ(inbox.size(), 1U);
  auto whole = head;
  whole.insert(whole.end(), payload.begin(), payload.end());
  EXPECT_EQ(inbox[0].bytes, whole);
}

TYPED_TEST_P(TransportSuite, TheLargestFrameArrivesAndALargerOneDoesNot) {
  this->introduce(0, 1, 1);
  this->node(0).send(1, pattern(kMaxFrame - 4096), pattern(4096));
  Inbox inbox;
  this->collect(1, inbox, 1);
  ASSERT_EQ(inbox.size(), 1U);
  EXPECT_EQ(inbox[0].bytes.size(), kMaxFrame);
  this->node(0).send(1, pattern(kMaxFrame - 4096 + 1), pattern(4096));
  EXPECT_TRUE(this->stays_silent(1));
}

TYPED_TEST_P(TransportSuite, ABroadcastReachesExactlyThePeers) {
  this->introduce(0, 1, 1);
  this->introduce(0, 3, 40);
  this->node(0).broadcast(pattern(8), pattern(100));
  for (const std::size_t i : {1, 3}) {
    Inbox inbox;
    this->collect(i, inbox, 1);
    ASSERT_EQ(inbox.size(), 1U) << "node " << i;
    EXPECT_EQ(inbox[0].bytes.size(), 108U);
  }
  EXPECT_TRUE(this->stays_silent(2));
  EXPECT_TRUE(this->stays_silent(0));
}

TYPED_TEST_P(TransportSuite, ARemovedPeerGetsNothing) {
  this->introduce(0, 1, 1);
  this->introduce(0, 2, 2);
  this->node(0).remove_peer(1);
  this->node(0).remove_peer(1);
  this->node(0).send(1, pattern(8), {});
  this->node(0).broadcast(pattern(9), {});
  Inbox inbox;
  this->collect(2, inbox, 1);
  EXPECT_EQ(inbox.size(), 1U);
  EXPECT_TRUE(this->stays_silent(1));
}

TYPED_TEST_P(TransportSuite, APeerMayMove) {
  this->introduce(0, 1, 7);
  this->introduce(0, 2, 7);
  this->node(0).broadcast(pattern(8), {});
  Inbox inbox;
  this->collect(2, inbox, 1);
  EXPECT_EQ(inbox.size(), 1U);
  EXPECT_TRUE(this->stays_silent(2));
  EXPECT_TRUE(this->stays_silent(1));
}

TYPED_TEST_P(TransportSuite, FramesForNobodyAreDropped) {
  this->node(0).send(5, pattern(8), {});
  this->node(0).send(kMaxNodes, pattern(8), {});
  this->node(0).send(kNoNode, pattern(8), {});
  this->node(0).send_to(Endpoint{}, pattern(8), {});
  this->node(0).set_peer(6, Endpoint{});
  this->node(0).set_peer(kNoNode, this->node(1).local_endpoint());
  this->node(0).send(6, pattern(8), {});
  this->node(0).remove_peer(kNoNode);
  this->node(0).broadcast(pattern(8), {});
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(this->stays_silent(i));
}

TYPED_TEST_P(TransportSuite, AllPeersFitAndAllAreReached) {
  for (NodeId number = 0; number < kMaxNodes; ++number) this->introduce(0, 1, number);
  this->node(0).broadcast(pattern(8), {});
  Inbox inbox;
  this->collect(1, inbox, kMaxNodes);
  EXPECT_EQ(inbox.size(), kMaxNodes);
}

TYPED_TEST_P(TransportSuite, PollReturnsWhatItHandedOut) {
  this->introduce(0, 1, 1);
  Inbox inbox;
  EXPECT_EQ(this->node(1).poll(inbox.sink()), 0U);
  for (unsigned i = 0; i < 100; ++i) this->node(0).send(1, pattern(300, i), {});
  std::size_t handed_out = 0;
  const auto deadline = this->world().now() + milliseconds(2000);
  while (handed_out < 100 && this->world().now() < deadline) {
    handed_out += this->node(1).poll(inbox.sink());
    EXPECT_EQ(inbox.size(), handed_out);
    if (handed_out < 100) this->node(1).wait(deadline);
  }
  EXPECT_EQ(handed_out, 100U);
  std::vector<std::vector<std::byte>> seen;
  for (std::size_t i = 0; i < inbox.size(); ++i) seen.push_back(inbox[i].bytes);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end()) << "a frame came twice";
}

TYPED_TEST_P(TransportSuite, WaitingNoticesAFrameAndLeavesItForPoll) {
  this->introduce(0, 1, 1);
  this->node(0).send(1, pattern(64), {});
  const auto begin = this->world().now();
  this->node(1).wait(begin + milliseconds(2000));
  this->node(1).wait(begin + milliseconds(2000));
  EXPECT_LT((this->world().now() - begin).ns, milliseconds(1000).ns);
  Inbox inbox;
  EXPECT_EQ(this->node(1).poll(inbox.sink()), 1U);
}

TYPED_TEST_P(TransportSuite, WaitingEndsAtTheDeadline) {
  const auto begin = this->world().now();
  const auto deadline = begin + milliseconds(10);
  int returns = 0;
  for (; this->world().now() < deadline; ++returns) this->node(0).wait(deadline);
  EXPECT_LT(returns, 100) << "it returns early all the time";
  EXPECT_LT((this->world().now() - begin).ns, milliseconds(500).ns);
  this->node(0).wait(begin);
}

TYPED_TEST_P(TransportSuite, TheSinkMaySend) {
  using Model = typename TestFixture::Model;
  const FrameSink echo{[](void* transport, Bytes frame, const Endpoint& from) noexcept {
                         static_cast<Model*>(transport)->send_to(from, frame, {});
                       },
                       &this->node(1)};
  this->introduce(0, 1, 1);
  for (unsigned i = 0; i < 10; ++i) this->node(0).send(1, pattern(50, i), {});
  std::size_t echoed = 0;
  const auto deadline = this->world().now() + milliseconds(2000);
  while (echoed < 10 && this->world().now() < deadline) {
    this->node(1).wait(deadline);
    echoed += this->node(1).poll(echo);
  }
  Inbox inbox;
  this->collect(0, inbox, 10);
  ASSERT_EQ(inbox.size(), 10U);
  EXPECT_EQ(inbox[0].bytes.size(), 50U);
}

REGISTER_TYPED_TEST_SUITE_P(TransportSuite, AFrameArrivesUnchangedAndNamesItsSender,
                            TheSendersEndpointCanBeAnswered, HeadAndPayloadArriveAsOneFrame,
                            TheLargestFrameArrivesAndALargerOneDoesNot,
                            ABroadcastReachesExactlyThePeers, ARemovedPeerGetsNothing, APeerMayMove,
                            FramesForNobodyAreDropped, AllPeersFitAndAllAreReached,
                            PollReturnsWhatItHandedOut, WaitingNoticesAFrameAndLeavesItForPoll,
                            WaitingEndsAtTheDeadline, TheSinkMaySend);

}  // namespace plurix::conformance

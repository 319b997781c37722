// The transports that make another one worse, over one that a test fills.
#include <plurix/sim/faulty_transport.h>
#include <plurix/sim/tapped_transport.h>

#include <gmock/gmock.h>

#include <deque>
#include <vector>

namespace plurix::sim {
namespace {

using testing::ElementsAre;

/// Frames from this one on are for somebody else.
constexpr std::uint8_t kOverheard = 100;

/// Frames of one byte each arrive as the test says.
class Wire {
 public:
  FrameSink overheard;
  std::deque<std::uint8_t> arriving;
  std::vector<std::uint8_t> sent;
  Instant waited_until;

  void send(NodeId, Bytes, Bytes) noexcept {}
  void broadcast(Bytes, Bytes) noexcept {}
  void send_to(const Endpoint&, Bytes head, Bytes) noexcept {
    sent.push_back(std::to_integer<std::uint8_t>(head[0]));
  }
  void overhear(FrameSink sink) noexcept { overheard = sink; }
  std::size_t poll(FrameSink sink) noexcept {
    const auto count = arriving.size();
    for (; !arriving.empty(); arriving.pop_front()) {
      const auto byte = static_cast<std::byte>(arriving.front());
      (arriving.front() < kOverheard ? sink : overheard)({&byte, 1}, {});
    }
    return count;
  }
  void wait(Instant until) noexcept { waited_until = until; }
  void set_peer(NodeId, const Endpoint&) noexcept {}
  void remove_peer(NodeId) noexcept {}
  Endpoint local_endpoint() const noexcept { return {}; }
};

Instant g_now;

class FaultyTransportTest : public testing::Test {
 protected:
  void SetUp() override { g_now = Instant{1'000'000}; }

  template <class Net>
  std::vector<int> receive(Net& net, std::initializer_list<std::uint8_t> frames) {
    wire_.arriving = frames;
    std::vector<int> seen;
    (void)net.poll({[](void* self, Bytes frame, const Endpoint&) noexcept {
                      static_cast<std::vector<int>*>(self)->push_back(
                          std::to_integer<int>(frame[0]));
                    },
                    &seen});
    return seen;
  }

  static Instant now() noexcept { return g_now; }

  Wire wire_;
};

TEST_F(FaultyTransportTest, LeavesEverythingAsItIsWithoutOptions) {
  FaultyTransport net(wire_);
  EXPECT_THAT(receive(net, {1, 2, 3}), ElementsAre(1, 2, 3));
  EXPECT_EQ(net.counters().received, 3u);
}

TEST_F(FaultyTransportTest, Drops) {
  FaultyTransport net(wire_, {.drop_percent = 100});
  EXPECT_THAT(receive(net, {1, 2}), ElementsAre());
  EXPECT_EQ(net.counters().dropped, 2u);
}

TEST_F(FaultyTransportTest, Doubles) {
  FaultyTransport net(wire_, {.duplicate_percent = 100});
  EXPECT_THAT(receive(net, {1, 2}), ElementsAre(1, 1, 2, 2));
  EXPECT_EQ(net.counters().duplicated, 2u);
}

TEST_F(FaultyTransportTest, LetsTheNextOneOvertake) {
  FaultyTransport net(wire_, {.reorder_percent = 100});
  EXPECT_THAT(receive(net, {1, 2, 3, 4}), ElementsAre(2, 1, 4, 3));
  EXPECT_EQ(net.counters().reordered, 2u);
}

TEST_F(FaultyTransportTest, TurnsOneBit) {
  FaultyTransport net(wire_, {.corrupt_percent = 100});
  const auto seen = receive(net, {0});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(__builtin_popcount(static_cast<unsigned>(seen[0])), 1);
  EXPECT_EQ(net.counters().corrupted, 1u);
}

TEST_F(FaultyTransportTest, DelaysByItsClockAndWakesForIt) {
  FaultyTransport net(wire_, {.delay_percent = 100, .longest_delay = milliseconds(5), .now = now});
  EXPECT_THAT(receive(net, {1}), ElementsAre());
  net.wait(kNever);
  EXPECT_LE(wire_.waited_until, g_now + milliseconds(5));
  g_now = wire_.waited_until;
  EXPECT_THAT(receive(net, {}), ElementsAre(1));
  EXPECT_EQ(net.counters().delayed, 1u);
  net.wait(kNever);
  EXPECT_EQ(wire_.waited_until, kNever);
}

TEST_F(FaultyTransportTest, DelaysNoMoreThanItHasRoomFor) {
  FaultyTransport net(wire_, {.delay_percent = 100, .now = now});
  std::size_t passed = 0;
  for (std::uint8_t i = 0; i < 40; ++i) passed += receive(net, {i}).size();
  EXPECT_EQ(passed, 40 - FaultyTransport<Wire>::kDelayed);
}

TEST_F(FaultyTransportTest, DelaysNothingWithoutAClock) {
  FaultyTransport net(wire_, {.delay_percent = 100});
  EXPECT_THAT(receive(net, {1}), ElementsAre(1));
}

TEST_F(FaultyTransportTest, ReplaysWhatCameEarlier) {
  FaultyTransport net(wire_, {.replay_percent = 100});
  std::size_t seen = 0;
  for (int i = 0; i < 1'000; ++i) seen += receive(net, {7}).size();
  EXPECT_GT(net.counters().replayed, 0u);
  EXPECT_EQ(seen, 1'000 + net.counters().replayed);
}

TEST_F(FaultyTransportTest, MakesWhatIsOverheardWorseToo) {
  FaultyTransport net(wire_, {.duplicate_percent = 100, .reorder_percent = 100});
  std::vector<int> overheard;
  net.overhear({[](void* self, Bytes frame, const Endpoint&) noexcept {
                  static_cast<std::vector<int>*>(self)->push_back(std::to_integer<int>(frame[0]));
                },
                &overheard});
  EXPECT_THAT(receive(net, {1, kOverheard, kOverheard + 1, 2, 3}), ElementsAre(1, 2, 2));
  EXPECT_THAT(overheard, ElementsAre(kOverheard, kOverheard, kOverheard + 1));
}

TEST_F(FaultyTransportTest, DoesTheSameForTheSameSeed) {
  const FaultOptions options{
      .drop_percent = 30, .duplicate_percent = 30, .reorder_percent = 30, .seed = 5};
  FaultyTransport one(wire_, options);
  FaultyTransport two(wire_, options);
  for (std::uint8_t i = 0; i < 100; ++i) {
    EXPECT_EQ(receive(one, {i}), receive(two, {i})) << "frame " << int{i} << " of seed 5";
  }
}

TEST_F(FaultyTransportTest, IsTappedByAListenerWhoSeesWhatArrived) {
  Endpoint listener;
  listener.bytes[0] = std::byte{4};
  TappedTransport tapped(wire_, {.listener = listener, .every = 1});
  FaultyTransport net(tapped, {.drop_percent = 100});
  EXPECT_THAT(receive(net, {1, 2}), ElementsAre());
  EXPECT_THAT(wire_.sent, ElementsAre(1, 2));
}

}  // namespace
}  // namespace plurix::sim

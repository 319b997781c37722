// The RTL8139's driver on a fake chip: the corners of that chip.
#include <gtest/gtest.h>
#include <string>

#include "support/fake_cards.h"

namespace plurix::rtl8139 {
namespace {

using plurix::testing::fake_address;
using plurix::testing::FakeCard;
using plurix::testing::FakeTime;
using Frame = std::vector<std::byte>;

Frame frame_to(const ethernet::MacAddress& to, std::size_t size, unsigned seed = 1) {
  Frame frame(size);
  for (std::size_t i = 0; i < size; ++i) frame[i] = static_cast<std::byte>((i * 3 + seed) & 0xff);
  std::copy(std::begin(to.bytes), std::end(to.bytes), frame.begin());
  return frame;
}

class Rtl8139Driver : public ::testing::Test {
 protected:
  ~Rtl8139Driver() override {
    for (const auto& violation : chip_.violations()) ADD_FAILURE() << "the chip saw " << violation;
  }

  Frame for_us(std::size_t size, unsigned seed = 1) {
    return frame_to(fake_address(1), size, seed);
  }

  /// Everything that is there now.
  std::vector<Frame> receive_all() {
    std::vector<Frame> frames;
    const ethernet::RawSink keep{[](void* kept, Bytes frame) noexcept {
                                   static_cast<std::vector<Frame>*>(kept)->emplace_back(
                                       frame.begin(), frame.end());
                                 },
                                 &frames};
    while (driver_.receive(keep) > 0) {
    }
    return frames;
  }

  bool transmit(std::size_t size, unsigned seed = 1) {
    const auto frame = frame_to(fake_address(2), size, seed);
    return driver_.transmit(Bytes(frame).first(14), Bytes(frame).subspan(14), {});
  }

  FakeTime time_;
  FakeCard card_{time_, 1};
  testing::FakeChip& chip_ = card_.chip;
  plurix::testing::FakeDriver& driver_ = card_.driver;
};

TEST_F(Rtl8139Driver, StartsTheChipAndKnowsItsAddress) {
  EXPECT_TRUE(card_.started);
  EXPECT_EQ(driver_.address(), fake_address(1));
  EXPECT_TRUE(driver_.link_up());
  EXPECT_EQ(chip_.resets(), 1U);
}

struct NoChip {
  template <class Word>
  Word read(std::uint16_t) noexcept {
    return static_cast<Word>(~Word{0});  // what a bus answers where nothing is
  }
  template <class Word>
  void write(std::uint16_t, Word) noexcept {}
};

TEST(Rtl8139DriverAlone, DoesNotWaitForAChipThatIsNotThere) {
  FakeTime time;
  NoChip chip;
  testing::FakeMemory memory;
  plurix::testing::FakeSleep sleep{time};
  Driver driver(chip, memory, sleep);
  EXPECT_FALSE(driver.start());
  EXPECT_FALSE(driver.acknowledge());
}

TEST_F(Rtl8139Driver, FindsEveryFrameHoweverOftenTheRingWrapsAround) {
  unsigned seed = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<Frame> sent;
    for (const std::size_t size : {60, 61, 1514, 577, 1003}) sent.push_back(for_us(size, ++seed));
    for (const auto& frame : sent) ASSERT_TRUE(chip_.arrive(frame));
    ASSERT_EQ(receive_all(), sent) << "round " << round;
  }
  EXPECT_EQ(driver_.counters().receiver_restarts, 0U);
}

TEST_F(Rtl8139Driver, JoinsAFrameThatTheRingsEndCuts) {
  // The ring's size is a multiple of 64, an entry of 1514 bytes takes 1524: cut at many places.
  std::size_t cut = 0;
  for (unsigned seed = 0; cut < 20; ++seed) {
    ASSERT_LT(seed, 2000U);
    const auto before = chip_.written_at();
    ASSERT_TRUE(chip_.arrive(for_us(1514, seed)));
    if (chip_.written_at() < before) ++cut;
    ASSERT_EQ(receive_all(), std::vector<Frame>{for_us(1514, seed)}) << "written at " << before;
  }
}

TEST_F(Rtl8139Driver, AsksTheChipSeldomWhenManyFramesAreThere) {
  for (unsigned i = 0; i < 24; ++i) ASSERT_TRUE(chip_.arrive(for_us(1514, i)));
  const auto before = chip_.accesses();
  EXPECT_EQ(receive_all().size(), 24U);
  EXPECT_LE(chip_.accesses() - before, 12U) << "each costs as much as taking a frame";
}

TEST_F(Rtl8139Driver, MakesRoomWhileItTakesManyFrames) {
  while (chip_.has_room_for(1514)) ASSERT_TRUE(chip_.arrive(for_us(1514)));
  std::size_t found_room = 0;
  std::function<void()> another = [&] {
    if (chip_.has_room_for(1514) && chip_.arrive(for_us(1514))) ++found_room;
  };
  EXPECT_EQ(driver_.receive(
                {[](void* call, Bytes) noexcept { (*static_cast<std::function<void()>*>(call))(); },
                 &another}),
            32U);
  EXPECT_GE(found_room, 8U);
}

TEST_F(Rtl8139Driver, GoesOnAfterTheRingOverflowed) {
  std::size_t arrived = 0;
  while (chip_.arrive(for_us(1000, static_cast<unsigned>(arrived)))) ++arrived;
  EXPECT_FALSE(chip_.arrive(for_us(60))) << "the chip stops until the overflow is acknowledged";
  EXPECT_TRUE(driver_.acknowledge());
  EXPECT_FALSE(chip_.interrupting()) << "an interrupt that does not end stops the machine";
  EXPECT_FALSE(chip_.arrive(for_us(1000)));
  const auto taken = receive_all();
  ASSERT_EQ(taken.size(), arrived);
  for (unsigned i = 0; i < arrived; ++i) EXPECT_EQ(taken[i], for_us(1000, i));
  EXPECT_TRUE(chip_.arrive(for_us(1000, 99)));
  EXPECT_EQ(receive_all(), std::vector<Frame>{for_us(1000, 99)});
  EXPECT_GE(driver_.counters().overflows, 1U);
}

TEST_F(Rtl8139Driver, GoesOnAfterAnOverflowWhoseInterruptWasLost) {
  while (chip_.arrive(for_us(1000))) {
  }
  receive_all();
  EXPECT_TRUE(chip_.arrive(for_us(60)));
}

TEST_F(Rtl8139Driver, DoesNotTakeAFrameBeforeAllOfItIsThere) {
  ASSERT_TRUE(chip_.begin_arrival(for_us(700)));
  EXPECT_TRUE(receive_all().empty());
  chip_.finish_arrival();
  EXPECT_EQ(receive_all(), std::vector<Frame>{for_us(700)});
}

TEST_F(Rtl8139Driver, PassesFramesThatAreTooLong) {
  ASSERT_TRUE(chip_.arrive(for_us(1515)));
  ASSERT_TRUE(chip_.arrive(for_us(1800)));
  ASSERT_TRUE(chip_.arrive(for_us(1514)));
  EXPECT_EQ(receive_all(), std::vector<Frame>{for_us(1514)});
  EXPECT_EQ(driver_.counters().dropped_bad, 2U);
}

TEST_F(Rtl8139Driver, HasRuntsAndDamagedFramesKeptOutByTheChip) {
  EXPECT_FALSE(chip_.arrive(for_us(20)));
  EXPECT_FALSE(chip_.arrive(for_us(100), ReceiveHeader::kChecksumError));
  EXPECT_TRUE(receive_all().empty());
}

TEST_F(Rtl8139Driver, PassesRuntsAndDamagedFramesIfTheChipLetsThemIn) {
  write(chip_, ReceiveConfig::kPhysicalMatch | ReceiveConfig::kRunts | ReceiveConfig::kErrors |
                   ReceiveConfig::kRing64K);
  ASSERT_TRUE(chip_.arrive(for_us(20)));
  ASSERT_TRUE(chip_.arrive(for_us(100), ReceiveHeader::kChecksumError));
  ASSERT_TRUE(chip_.arrive(for_us(100)));
  EXPECT_EQ(receive_all(), std::vector<Frame>{for_us(100)});
  EXPECT_EQ(driver_.counters().dropped_bad, 2U);
}

TEST_F(Rtl8139Driver, StartsTheReceiverAgainWhenTheRingMakesNoSense) {
  ASSERT_TRUE(chip_.arrive(for_us(100)));
  chip_.scramble_ring();
  EXPECT_TRUE(receive_all().empty());
  EXPECT_EQ(driver_.counters().receiver_restarts, 1U);
  ASSERT_TRUE(chip_.arrive(for_us(200)));
  EXPECT_EQ(receive_all(), std::vector<Frame>{for_us(200)});
}

TEST_F(Rtl8139Driver, HearsOnlyItsOwnAddressAndBroadcasts) {
  EXPECT_FALSE(chip_.arrive(frame_to(fake_address(2), 100)));
  EXPECT_TRUE(chip_.arrive(frame_to(ethernet::kBroadcast, 100)));
  EXPECT_EQ(receive_all().size(), 1U);
}

TEST_F(Rtl8139Driver, SendsInOrderThroughFourDescriptors) {
  std::vector<Frame> sent;
  chip_.on_sent = [&](const Frame& frame) { sent.push_back(frame); };
  chip_.send_at_once(false);
  for (unsigned i = 0; i < 50; ++i) EXPECT_TRUE(transmit(100, i));
  EXPECT_EQ(chip_.waiting_to_be_sent(), 4U);
  while (chip_.waiting_to_be_sent() > 0) {
    chip_.run_transmitter(3);
    (void)driver_.receive({[](void*, Bytes) noexcept {}, nullptr});
  }
  ASSERT_EQ(sent.size(), 50U);
  for (unsigned i = 0; i < 50; ++i) EXPECT_EQ(sent[i], frame_to(fake_address(2), 100, i));
}

TEST_F(Rtl8139Driver, IsInterruptedForAFrameThatLeftOnlyIfAnotherOneWaits) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(transmit(100));
  EXPECT_FALSE(chip_.interrupting());
  chip_.send_at_once(false);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(transmit(100));
  EXPECT_EQ(chip_.waiting_to_be_sent(), 4U);
  chip_.run_transmitter(1);
  EXPECT_TRUE(chip_.interrupting());
  chip_.run_transmitter(3);
  receive_all();
  (void)driver_.acknowledge();
  EXPECT_EQ(chip_.waiting_to_be_sent(), 2U);
  chip_.run_transmitter(2);
  EXPECT_FALSE(chip_.interrupting()) << "nothing waits any more";
  receive_all();
  EXPECT_EQ(driver_.counters().sent, 9U);
}

TEST_F(Rtl8139Driver, PadsShortFramesWithZeros) {
  Frame sent;
  chip_.on_sent = [&](const Frame& frame) { sent = frame; };
  ASSERT_TRUE(transmit(1514, 9));
  for (unsigned i = 0; i < kSendBuffers; ++i) ASSERT_TRUE(transmit(20, 9));
  auto padded = frame_to(fake_address(2), 20, 9);
  padded.resize(60);
  EXPECT_EQ(sent, padded);
}

TEST_F(Rtl8139Driver, RefusesAFrameWhenAllBuffersAreTakenAndGoesOnLater) {
  chip_.send_at_once(false);
  for (std::size_t i = 0; i < kSendBuffers; ++i) ASSERT_TRUE(transmit(100));
  EXPECT_FALSE(transmit(100));
  EXPECT_FALSE(driver_.transmit(Frame(1000), Frame(1000), {}));
  chip_.run_transmitter(1);
  EXPECT_TRUE(transmit(100));
  EXPECT_FALSE(transmit(100));
  EXPECT_EQ(driver_.counters().unsent_queue_full, 2U);
  EXPECT_EQ(driver_.counters().unsent_too_long, 1U);
}

TEST_F(Rtl8139Driver, StartsAChipAgainThatStandsStill) {
  chip_.send_at_once(false);
  for (int i = 0; i < 5000; ++i) (void)transmit(100);
  EXPECT_EQ(driver_.counters().chip_restarts, 1U);
  EXPECT_EQ(chip_.resets(), 2U);
  chip_.send_at_once(true);
  chip_.run_transmitter();
  EXPECT_TRUE(transmit(100));
  ASSERT_TRUE(chip_.arrive(for_us(100)));
  EXPECT_EQ(receive_all().size(), 1U);
}

TEST_F(Rtl8139Driver, GoesOnAfterTheChipGaveUpOnAFrame) {
  chip_.abort_next();
  ASSERT_TRUE(transmit(100, 1));
  std::vector<Frame> sent;
  chip_.on_sent = [&](const Frame& frame) { sent.push_back(frame); };
  EXPECT_TRUE(chip_.interrupting());
  receive_all();  // as the interrupt makes a node do
  ASSERT_TRUE(transmit(100, 2));
  ASSERT_TRUE(transmit(100, 3));
  EXPECT_EQ(sent.size(), 2U);
  EXPECT_EQ(driver_.counters().lost_in_sending, 1U);
}

TEST_F(Rtl8139Driver, RefusesFramesWhileTheCableIsOutAndGoesOnWhenItIsBack) {
  chip_.set_link(false);
  EXPECT_TRUE(driver_.acknowledge());
  EXPECT_FALSE(driver_.link_up());
  EXPECT_FALSE(transmit(100));
  EXPECT_FALSE(chip_.arrive(for_us(100)));
  chip_.set_link(true);
  EXPECT_TRUE(transmit(100)) << "also when the interrupt for it was lost";
  EXPECT_TRUE(driver_.link_up());
  EXPECT_TRUE(chip_.arrive(for_us(100)));
  EXPECT_EQ(driver_.counters().unsent_link_down, 1U);
}

TEST_F(Rtl8139Driver, SleepsUntilAFrameComes) {
  card_.sleep.on_step = [&] {
    if (time_.now == Instant{} + milliseconds(3)) chip_.arrive(for_us(100));
  };
  driver_.wait(Instant{} + milliseconds(50));
  EXPECT_EQ(time_.now, Instant{} + milliseconds(3));
  driver_.wait(Instant{} + milliseconds(50));
  EXPECT_EQ(time_.now, Instant{} + milliseconds(3)) << "the frame is still there";
  EXPECT_EQ(receive_all().size(), 1U);
}

TEST_F(Rtl8139Driver, SleepsWhenAnInterruptIsLeftOverFromAFrameThatWasTaken) {
  ASSERT_TRUE(chip_.arrive(for_us(100)));
  receive_all();
  driver_.wait(Instant{} + milliseconds(5));
  EXPECT_EQ(time_.now, Instant{} + milliseconds(5));
  EXPECT_FALSE(chip_.interrupting());
}

}  // namespace
}  // namespace plurix::rtl8139

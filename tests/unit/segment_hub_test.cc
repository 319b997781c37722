// The hub of a segment: what it carries, what it does to frames, and who suffers from whom.
#include <plurix/ethernet/address_text.h>
#include <plurix/segment/device.h>
#include <plurix/segment/hub.h>
#include <plurix/segment/stream.h>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cstring>
#include <fstream>
#include <iterator>

namespace plurix::segment {
namespace {

using ethernet::MacAddress;
using ::testing::IsEmpty;
using Frame = std::vector<std::byte>;

MacAddress station(unsigned number) {
  return {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(number)}};
}

Frame frame(const MacAddress& to, const MacAddress& from, std::size_t size = 60,
            unsigned seed = 0) {
  Frame bytes(size, static_cast<std::byte>(seed));
  std::memcpy(bytes.data(), to.bytes, 6);
  std::memcpy(bytes.data() + 6, from.bytes, 6);
  return bytes;
}

std::string new_path(const char* what) {
  static int number = 0;
  return "/tmp/plurix-" + std::string(what) + "-" + std::to_string(::getpid()) + "-" +
         std::to_string(++number);
}

/// A station whose hub runs in the same thread.
class Station {
 public:
  Station(Hub& hub, unsigned number)
      : hub_(hub), device_({.place = "hub:" + hub.path(), .address = station(number)}) {
    hub.step(milliseconds(0));
  }

  void send(const Frame& frame) {
    EXPECT_TRUE(device_.transmit(frame, {}, {}));
    hub_.step(milliseconds(0));
  }
  void listen() {
    device_.listen();
    hub_.step(milliseconds(0));
  }
  std::vector<Frame> received() {
    std::vector<Frame> frames;
    const ethernet::RawSink keep{[](void* kept, Bytes frame) noexcept {
                                   static_cast<std::vector<Frame>*>(kept)->emplace_back(
                                       frame.begin(), frame.end());
                                 },
                                 &frames};
    // What the socket does not hold waits in the hub.
    do {
      hub_.step(milliseconds(0));
    } while (device_.receive(keep) > 0);
    return frames;
  }

 private:
  Hub& hub_;
  SegmentDevice device_;
};

class HubTest : public ::testing::Test {
 protected:
  HubTest() { reset({}); }

  void reset(const HubFaults& faults) {
    a_.reset();
    b_.reset();
    c_.reset();
    hub_.reset();
    options_.path = new_path("hub");
    options_.faults = faults;
    hub_ = std::make_unique<Hub>(options_);
    a_ = std::make_unique<Station>(*hub_, 1);
    b_ = std::make_unique<Station>(*hub_, 2);
    c_ = std::make_unique<Station>(*hub_, 3);
  }

  HubOptions options_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Station> a_, b_, c_;
};

TEST_F(HubTest, CarriesToAllUntilItHasHeardTheAddress) {
  const auto first = frame(station(2), station(1));
  a_->send(first);
  EXPECT_EQ(b_->received(), std::vector<Frame>{first});
  EXPECT_EQ(c_->received(), std::vector<Frame>{first});
  EXPECT_THAT(a_->received(), IsEmpty()) << "nobody hears himself";
  b_->send(frame(station(1), station(2)));
  a_->send(first);
  EXPECT_EQ(b_->received(), std::vector<Frame>{first});
  EXPECT_THAT(c_->received(), IsEmpty());
}

TEST_F(HubTest, LetsAStationThatAsksForItHearAllOthers) {
  a_->send(frame(station(9), station(1)));
  b_->send(frame(station(1), station(2)));
  for (const auto& each : {&a_, &b_, &c_}) (void)(*each)->received();
  c_->listen();
  EXPECT_THAT(a_->received(), IsEmpty()) << "the request is the hub's alone";
  const auto between = frame(station(2), station(1), 1'200);
  a_->send(between);
  EXPECT_EQ(b_->received(), std::vector<Frame>{between});
  EXPECT_EQ(c_->received(), std::vector<Frame>{between});
  a_->send(frame(station(2), station(1)));
  EXPECT_EQ(b_->received().size(), 1U);
  EXPECT_THAT(c_->received(), IsEmpty()) << "what is short is no part of a page";
  const auto own = frame(station(3), station(1));
  a_->send(own);
  EXPECT_EQ(c_->received(), std::vector<Frame>{own}) << "once";
  EXPECT_THAT(b_->received(), IsEmpty());
  c_->send(between);
  EXPECT_THAT(c_->received(), IsEmpty()) << "nobody hears himself";
  EXPECT_EQ(hub_->counters().overheard, 1U);
}

TEST_F(HubTest, KeepsRoomForWhatAListenersOwnFramesNeed) {
  b_->send(frame(station(1), station(2)));
  c_->send(frame(station(1), station(3)));
  c_->listen();
  const auto between = frame(station(2), station(1), 1500);
  for (int i = 0; i < 2'000; ++i) {
    a_->send(between);
    (void)b_->received();
  }
  EXPECT_GT(hub_->counters().not_overheard, 0U);
  EXPECT_EQ(hub_->counters().lost_no_room, 0U);
  const auto own = frame(station(3), station(1));
  a_->send(own);
  EXPECT_EQ(c_->received().back(), own);
}

TEST_F(HubTest, CarriesBroadcastsToAll) {
  a_->send(frame(ethernet::kBroadcast, station(1)));
  EXPECT_EQ(b_->received().size(), 1U);
  EXPECT_EQ(c_->received().size(), 1U);
}

TEST_F(HubTest, FollowsAnAddressToAnotherConnection) {
  b_->send(frame(station(1), station(2)));
  Station again(*hub_, 2);
  again.send(frame(station(1), station(2)));
  (void)b_->received();
  a_->send(frame(station(2), station(1)));
  EXPECT_EQ(again.received().size(), 1U);
  EXPECT_THAT(b_->received(), IsEmpty());
}

TEST_F(HubTest, ForgetsAStationThatHasGone) {
  b_->send(frame(station(1), station(2)));
  b_.reset();
  hub_->step(milliseconds(0));
  EXPECT_EQ(hub_->stations(), 2U);
  (void)c_->received();
  a_->send(frame(station(2), station(1)));
  EXPECT_EQ(c_->received().size(), 1U) << "its address is nobody's now";
}

TEST_F(HubTest, LosesDoublesAndDamagesAsTold) {
  const auto sent = frame(station(2), station(1), 200);
  reset({.drop = 100});
  a_->send(sent);
  EXPECT_THAT(b_->received(), IsEmpty());
  reset({.duplicate = 100});
  a_->send(sent);
  EXPECT_EQ(b_->received(), (std::vector<Frame>{sent, sent}));
  reset({.corrupt = 100});
  a_->send(sent);
  const auto damaged = b_->received();
  ASSERT_EQ(damaged.size(), 1U);
  int bits = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    bits += __builtin_popcount(std::to_integer<unsigned>(sent[i] ^ damaged[0][i]));
  }
  EXPECT_EQ(bits, 1);
}

TEST_F(HubTest, LosesTheShareItIsTold) {
  reset({.drop = 20});
  for (int i = 0; i < 2000; ++i) a_->send(frame(station(2), station(1)));
  EXPECT_NEAR(static_cast<double>(b_->received().size()), 1600, 100);
}

TEST_F(HubTest, ReordersButLosesNothing) {
  reset({.reorder = 30});
  constexpr unsigned kFrames = 200;
  for (unsigned i = 0; i < kFrames; ++i) a_->send(frame(station(2), station(1), 60, i));
  std::vector<unsigned> numbers;
  // What waits for a next frame that does not come, comes in 5 ms.
  for (int looks = 0; numbers.size() < kFrames && looks < 1000; ++looks) {
    for (const auto& got : b_->received()) {
      numbers.push_back(std::to_integer<unsigned>(got.back()));
    }
    hub_->step(milliseconds(5));
  }
  EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(numbers.size(), kFrames);
  for (unsigned i = 0; i < kFrames; ++i) EXPECT_EQ(numbers[i], i);
}

TEST_F(HubTest, LetsAStationThatDoesNotReadLoseFramesAndNobodyElse) {
  std::size_t at_c = 0;
  for (int i = 0; i < 4000; ++i) {
    a_->send(frame(ethernet::kBroadcast, station(1), 1514));
    at_c += c_->received().size();
  }
  EXPECT_EQ(at_c, 4000U);
  EXPECT_GT(hub_->counters().lost_no_room, 0U);
  EXPECT_GT(b_->received().size(), 100U);
}

/// Somebody who connects and says anything.
class Stranger {
 public:
  explicit Stranger(Hub& hub) : hub_(hub) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    hub.path().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Stranger() { ::close(fd_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void say(const std::vector<unsigned char>& bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    hub_.step(milliseconds(0));
  }

 private:
  Hub& hub_;
  const int fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

TEST_F(HubTest, ThrowsOutWhoeverSpeaksNoFrames) {
  Stranger stranger(*hub_);
  hub_->step(milliseconds(0));
  EXPECT_EQ(hub_->stations(), 4U);
  stranger.say({0xff, 0xff, 0xff, 0xff, 1, 2, 3});
  hub_->step(milliseconds(0));
  EXPECT_EQ(hub_->stations(), 3U);
  a_->send(frame(ethernet::kBroadcast, station(1)));
  EXPECT_EQ(b_->received().size(), 1U);
}

TEST_F(HubTest, PassesOverFramesThatAreTooShortOrTooLong) {
  Stranger stranger(*hub_);
  stranger.say({0, 0, 0, 3, 1, 2, 3});
  std::vector<unsigned char> giant(4 + 1600, 0xff);
  giant[0] = giant[1] = 0;
  giant[2] = 1600 >> 8;
  giant[3] = 1600 & 0xff;
  stranger.say(giant);
  EXPECT_THAT(b_->received(), IsEmpty());
  EXPECT_EQ(hub_->stations(), 4U);
}

TEST_F(HubTest, WritesWhatItHearsForOtherPrograms) {
  options_.pcap_file = new_path("pcap");
  options_.pcap_limit = 200;  // room for two frames of 60 bytes
  reset({});
  for (int i = 0; i < 3; ++i) a_->send(frame(station(2), station(1), 60, 7));
  hub_.reset();
  std::ifstream file(options_.pcap_file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  ::unlink(options_.pcap_file.c_str());
  ASSERT_EQ(bytes.size(), 24U + 2 * (16 + 60));
  EXPECT_EQ(bytes.substr(0, 4), "\x4d\x3c\xb2\xa1");
  EXPECT_EQ(bytes[20], 1) << "Ethernet";
  EXPECT_EQ(bytes[24 + 8], 60);
  EXPECT_EQ(bytes.back(), 7);
}

TEST(SegmentDeviceTest, SaysWhatItCannotReach) {
  const auto words = [](const std::string& place) {
    try {
      const SegmentDevice device({.place = place, .address = {}});
      return std::string("nothing is wrong");
    } catch (const SetupError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(words("hub:/nonexistent/hub"), ::testing::HasSubstr("plurix hub --socket"));
  EXPECT_THAT(words("somewhere"), ::testing::HasSubstr("hub:PATH"));
  EXPECT_THAT(words("hub:" + std::string(200, 'x')), ::testing::HasSubstr("107"));
}

TEST(SegmentDeviceTest, FallsSilentWhenTheHubEnds) {
  const auto path = new_path("hub");
  auto hub = std::make_unique<Hub>(HubOptions{.path = path});
  SegmentDevice device({.place = "hub:" + path, .address = {}});
  hub.reset();
  EXPECT_EQ(device.receive({[](void*, Bytes) noexcept {}, nullptr}), 0U);
  EXPECT_FALSE(device.transmit(frame(station(1), station(2)), {}, {}));
  device.wait({0});
  EXPECT_NE(device.address(), MacAddress{});
}

TEST(MacAddressText, AndAddressAreEachOthersInverse) {
  EXPECT_EQ(ethernet::to_text(*ethernet::parse_mac("02:50:4c:0a:FF:01")), "02:50:4c:0a:ff:01");
  for (const auto* text : {"", "02:50:4c:0a:ff", "02:50:4c:0a:ff:1", "02-50-4c-0a-ff-01",
                           "02:50:4c:0a:ff:0g", "02:50:4c:0a:ff:011"}) {
    EXPECT_FALSE(ethernet::parse_mac(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace plurix::segment

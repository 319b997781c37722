// UdpTransport against the common suite, in both ways of receiving, and what only UDP can do.
#include <plurix/conformance/transport_suite.h>

#include <plurix/posix/monotonic_clock.h>
#include <plurix/udp/udp_transport.h>

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <memory>
#include <stop_token>
#include <thread>

namespace plurix::testing {

using namespace conformance;
namespace {

using udp::ReceiveKind;
using udp::UdpTransport;

template <ReceiveKind kKind>
struct UdpWorld {
  static std::string why_unavailable() {
    const UdpTransport trial({.kind = kKind});
    return trial.kind() == kKind ? std::string() : trial.reason();
  }

  UdpTransport& node(std::size_t i) { return nodes_[i]; }
  Instant now() { return posix::MonotonicClock().now(); }

 private:
  static constexpr udp::UdpOptions kOptions() { return {.kind = kKind}; }
  std::array<UdpTransport, 4> nodes_{UdpTransport(kOptions()), UdpTransport(kOptions()),
                                     UdpTransport(kOptions()), UdpTransport(kOptions())};
};

using PlainWorld = UdpWorld<ReceiveKind::kPlain>;
using UringWorld = UdpWorld<ReceiveKind::kIoUring>;

INSTANTIATE_TYPED_TEST_SUITE_P(UdpPlain, TransportSuite, PlainWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(UdpIoUring, TransportSuite, UringWorld);

template <class World>
class UdpTransportTest : public TransportSuite<World> {};
using Worlds = ::testing::Types<PlainWorld, UringWorld>;
TYPED_TEST_SUITE(UdpTransportTest, Worlds);

// A socket of somebody who does not keep to our limits.
class BareSocket {
 public:
  void send(const Endpoint& to, const std::vector<std::byte>& bytes) const {
    sockaddr_in address;
    ASSERT_TRUE(udp::to_sockaddr(to, address));
    ASSERT_EQ(::sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&address),
                       sizeof address),
              static_cast<ssize_t>(bytes.size()));
  }
  BareSocket() = default;
  ~BareSocket() { ::close(fd_); }
  BareSocket(const BareSocket&) = delete;
  BareSocket& operator=(const BareSocket&) = delete;

 private:
  int fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TYPED_TEST(UdpTransportTest, ForeignDatagramsAreDroppedAndCounted) {
  const BareSocket stranger;
  stranger.send(this->node(0).local_endpoint(), pattern(kMaxFrame + 1));
  stranger.send(this->node(0).local_endpoint(), pattern(60'000));
  stranger.send(this->node(0).local_endpoint(), {});
  EXPECT_TRUE(this->stays_silent(0));
  EXPECT_EQ(this->node(0).counters().dropped_truncated, 2U);
  EXPECT_EQ(this->node(0).counters().dropped_foreign, 1U);
  EXPECT_EQ(this->node(0).counters().received, 0U);
}

TYPED_TEST(UdpTransportTest, KnowsThatNobodyHasALoopbackEndpoint) {
  Endpoint gone;
  {
    const UdpTransport other;
    gone = other.local_endpoint();
    EXPECT_FALSE(this->node(0).is_absent(gone));
  }
  EXPECT_TRUE(this->node(0).is_absent(gone));
  EXPECT_FALSE(this->node(0).is_absent(this->node(0).local_endpoint()));
  // Others may reach it in a way that this machine does not see.
  const auto text = udp::format_endpoint(gone);
  const auto on_any = udp::parse_endpoint("0.0.0.0" + text.substr(text.find(':')));
  EXPECT_FALSE(this->node(0).is_absent(on_any.value()));
}

TYPED_TEST(UdpTransportTest, CountsWhatItSendsAndReceives) {
  this->introduce(0, 1, 1);
  this->node(0).send(1, pattern(10), pattern(90));
  this->node(0).send(2, pattern(10), {});
  this->node(0).send(1, pattern(kMaxFrame), pattern(1));
  Inbox inbox;
  this->collect(1, inbox, 1);
  const auto& sender = this->node(0).counters();
  EXPECT_EQ(sender.sent, 1U);
  EXPECT_EQ(sender.sent_bytes, 100U);
  EXPECT_EQ(sender.unsent_unknown_peer, 1U);
  EXPECT_EQ(sender.unsent_too_large, 1U);
  EXPECT_EQ(this->node(1).counters().received, 1U);
  EXPECT_EQ(this->node(1).counters().received_bytes, 100U);
}

// Frames with contents of their own, as pages have.
struct Frames {
  Frames(std::size_t count, std::size_t size) {
    for (std::size_t i = 0; i < count; ++i) {
      heads.push_back(pattern(88, static_cast<unsigned>(i)));
      payloads.push_back(pattern(size - 88, static_cast<unsigned>(i + 100)));
    }
    for (std::size_t i = 0; i < count; ++i) parts.push_back({heads[i], payloads[i]});
  }
  std::vector<std::byte> whole(std::size_t i) const {
    auto frame = heads[i];
    frame.insert(frame.end(), payloads[i].begin(), payloads[i].end());
    return frame;
  }
  std::vector<std::vector<std::byte>> heads;
  std::vector<std::vector<std::byte>> payloads;
  std::vector<FrameParts> parts;
};

// Seventeen pages are more than one datagram of the largest size.
TYPED_TEST(UdpTransportTest, FramesSentTogetherArriveOneByOneAndInOrder) {
  this->introduce(0, 1, 1);
  constexpr std::size_t kFrames = 17;
  const Frames frames(kFrames, 4184);
  this->node(0).send_together(1, frames.parts);
  Inbox inbox;
  this->collect(1, inbox, kFrames);
  ASSERT_EQ(inbox.size(), kFrames);
  for (std::size_t i = 0; i < kFrames; ++i) {
    EXPECT_EQ(inbox[i].bytes, frames.whole(i)) << "frame " << i;
    EXPECT_EQ(inbox[i].from, this->node(0).local_endpoint());
  }
  const auto& sender = this->node(0).counters();
  EXPECT_EQ(sender.sent, kFrames);
  EXPECT_EQ(sender.sent_bytes, kFrames * 4184);
  EXPECT_EQ(sender.sent_together, kFrames);
  EXPECT_EQ(this->node(1).counters().received_bytes, kFrames * 4184);
}

// A socket that sends without checksums is one for which no kernel cuts frames apart.
TYPED_TEST(UdpTransportTest, FramesGoOneByOneWhereTheKernelTakesNoneTogether) {
  this->introduce(0, 1, 1);
  const int unchecked = 1;
  ASSERT_EQ(::setsockopt(this->node(0).fd(), SOL_SOCKET, SO_NO_CHECK, &unchecked, sizeof unchecked),
            0);
  constexpr std::size_t kFrames = 17;
  const Frames frames(kFrames, 4184);
  this->node(0).send_together(1, frames.parts);
  Inbox inbox;
  this->collect(1, inbox, kFrames);
  ASSERT_EQ(inbox.size(), kFrames);
  for (std::size_t i = 0; i < kFrames; ++i) {
    EXPECT_EQ(inbox[i].bytes, frames.whole(i)) << "frame " << i;
  }
  EXPECT_EQ(this->node(0).counters().sent, kFrames);
  EXPECT_EQ(this->node(0).counters().sent_together, 0U);
}

// Whoever looks whether a process is absent has its endpoint for a moment.
TEST(UdpEndpoint, ThatIsTakenForAMomentIsWaitedFor) {
  constexpr int kTries = 100;  // on a busy machine the moment may become too long
  bool bound = false;
  for (int i = 0; i < kTries && !bound; ++i) {
    auto holder = std::make_unique<UdpTransport>();
    const auto endpoint = holder->local_endpoint();
    std::atomic<bool> begun = false;
    const std::jthread release([&] {
      while (!begun) std::this_thread::yield();
      ::usleep(3'000);
      holder.reset();
    });
    begun = true;
    try {
      const UdpTransport next({.bind = endpoint});
      bound = next.local_endpoint() == endpoint;
    } catch (const udp::SetupError&) {
    }
  }
  EXPECT_TRUE(bound);
}

TYPED_TEST(UdpTransportTest, NothingThatMayNotBeSentGoesTogether) {
  this->introduce(0, 1, 1);
  const Frames large(3, kMaxFrame + 1);
  this->node(0).send_together(1, large.parts);
  const Frames small(3, 200);
  this->node(0).send_together(2, small.parts);
  this->node(0).send_together(1, {});
  EXPECT_TRUE(this->stays_silent(1));
  EXPECT_EQ(this->node(0).counters().unsent_too_large, 3U);
  EXPECT_EQ(this->node(0).counters().unsent_unknown_peer, 3U);
  EXPECT_EQ(this->node(0).counters().sent, 0U);
}

// A receiver changes to the form for many and back; nothing may be lost or cut wrongly on the way.
TYPED_TEST(UdpTransportTest, ManyAndFewByTurnsAllArrive) {
  this->introduce(0, 1, 1);
  const Frames frames(15, 4184);
  for (int round = 0; round < 3; ++round) {
    Inbox many;
    for (int i = 0; i < 8; ++i) this->node(0).send_together(1, frames.parts);
    this->collect(1, many, 120);
    ASSERT_EQ(many.size(), 120U);
    for (std::size_t i = 0; i < many.size(); ++i) {
      ASSERT_EQ(many[i].bytes, frames.whole(i % 15)) << "frame " << i << " of round " << round;
    }
    for (unsigned i = 0; i < 100; ++i) {
      Inbox one;
      this->node(0).send(1, pattern(64, i), {});
      this->collect(1, one, 1);
      ASSERT_EQ(one.size(), 1U);
      ASSERT_EQ(one[0].bytes, pattern(64, i));
    }
  }
  if (this->node(1).kind() == ReceiveKind::kPlain) {
    EXPECT_GT(this->node(1).counters().received_together, 200U);
  }
}

// More frames than there are buffers anywhere on the way to the application.
TYPED_TEST(UdpTransportTest, ABurstIsTakenAsFarAsTheSocketHoldsIt) {
  this->introduce(0, 1, 1);
  constexpr std::size_t kFrames = 2000;
  for (std::size_t i = 0; i < kFrames; ++i) this->node(0).send(1, pattern(64), {});
  Inbox inbox;
  this->collect(1, inbox, kFrames);
  EXPECT_GE(inbox.size(), kFrames / 2);
  this->node(0).send(1, pattern(65), {});
  Inbox later;
  this->collect(1, later, 1);
  EXPECT_EQ(later.size(), 1U) << "the receiver is stuck after a burst";
}

TYPED_TEST(UdpTransportTest, WakesUpFromSleepForAFrame) {
  this->introduce(0, 1, 1);
  auto& sleeper = this->node(1);
  const Endpoint to = sleeper.local_endpoint();
  const auto begin = this->world().now();
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const BareSocket socket;
    socket.send(to, pattern(30));
  });
  Inbox inbox;
  this->collect(1, inbox, 1);
  sender.join();
  EXPECT_EQ(inbox.size(), 1U);
  EXPECT_GE(sleeper.counters().sleeps, 1U);
  EXPECT_LT((this->world().now() - begin).ns, milliseconds(1000).ns);
}

// Shares the CPU of whoever makes it with a thread that never rests.
class CrowdedCpu {
 public:
  CrowdedCpu() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(::sched_getcpu(), &here);
    ::sched_setaffinity(0, sizeof here, &here);  // the thread inherits it
    hog_ = std::jthread([](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
      }
    });
  }
  ~CrowdedCpu() {
    hog_ = {};
    ::sched_setaffinity(0, sizeof before_, &before_);
  }
  CrowdedCpu(const CrowdedCpu&) = delete;
  CrowdedCpu& operator=(const CrowdedCpu&) = delete;

 private:
  cpu_set_t before_;
  std::jthread hog_;
};

// Each yield costs the other's whole time slice: at one a frame a queue would never be emptied.
TYPED_TEST(UdpTransportTest, AQueueIsEmptiedWithoutYieldingForEachFrame) {
  this->introduce(0, 1, 1);
  const CrowdedCpu crowded;
  auto& receiver = this->node(1);
  for (int i = 0; i < 100; ++i) receiver.wait(this->world().now() + milliseconds(1));
  constexpr std::size_t kFrames = 200;
  for (std::size_t i = 0; i < kFrames; ++i) this->node(0).send(1, pattern(64), {});
  const auto yields = receiver.counters().yields;
  std::size_t received = 0;
  const FrameSink count{
      [](void* n, Bytes, const Endpoint&) noexcept { ++*static_cast<std::size_t*>(n); }, &received};
  for (std::size_t i = 0; i < kFrames && received < kFrames; ++i) {
    receiver.wait(this->world().now() + milliseconds(100));
    (void)receiver.poll(count);
  }
  EXPECT_EQ(received, kFrames);
  EXPECT_LT(receiver.counters().yields - yields, 20U);
}

// Nor is there a time slice to be given away for each wait when somebody else only computes.
TYPED_TEST(UdpTransportTest, FallsAsleepAtOnceWhereYieldsAreDear) {
  const CrowdedCpu crowded;
  auto& receiver = this->node(1);
  for (int i = 0; i < 100; ++i) receiver.wait(this->world().now() + milliseconds(1));
  EXPECT_LT(receiver.counters().yields, 50U);
  EXPECT_GE(receiver.counters().sleeps, 50U);
}

volatile std::sig_atomic_t g_signals = 0;

TYPED_TEST(UdpTransportTest, TheSleepMaskHoldsSignalsBackWhileSleeping) {
  struct sigaction count = {};
  struct sigaction before;
  count.sa_handler = [](int) { g_signals = g_signals + 1; };
  ::sigaction(SIGUSR1, &count, &before);
  g_signals = 0;
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  auto& sleeper = this->node(0);
  sleeper.set_sleep_mask(mask);
  const auto here = ::pthread_self();
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::pthread_kill(here, SIGUSR1);
  });
  const auto begin = this->world().now();
  sleeper.wait(begin + milliseconds(40));
  EXPECT_GE((this->world().now() - begin).ns, milliseconds(40).ns);
  EXPECT_EQ(g_signals, 1);
  sender.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(UdpTransport, AnAddressInUseIsRefusedInWords) {
  const UdpTransport first;
  try {
    const UdpTransport second({.bind = first.local_endpoint()});
    FAIL() << "two transports on one port";
  } catch (const udp::SetupError& error) {
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:"), std::string::npos) << error.what();
  }
}

TEST(UdpTransport, SaysWhatItWasGranted) {
  const UdpTransport transport;
  EXPECT_GT(transport.receive_buffer(), 0);
  EXPECT_GT(transport.send_buffer(), 0);
  EXPECT_NE(transport.kind(), ReceiveKind::kAuto);
  EXPECT_FALSE(transport.reason().empty());
}

TEST(UdpEndpoint, TextAndEndpointAreEachOthersInverse) {
  for (const auto* text : {"127.0.0.1:4711", "0.0.0.0:0", "255.255.255.255:65535"}) {
    const auto endpoint = udp::parse_endpoint(text);
    ASSERT_TRUE(endpoint.has_value()) << text;
    EXPECT_EQ(udp::format_endpoint(*endpoint), text);
  }
  EXPECT_EQ(udp::parse_endpoint("10.1.2.3", 99), udp::make_endpoint(0x0a010203, 99));
  EXPECT_EQ(udp::format_endpoint(Endpoint{}), "nowhere");
}

TEST(UdpEndpoint, WhatIsNoAddressIsRefused) {
  for (const auto* text : {"", ":", "1.2.3:4", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536",
                           "1.2.3.4:-1", "localhost:1", "1.2.3.4:1:2", "1.2.3.4 :1"}) {
    EXPECT_FALSE(udp::parse_endpoint(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace plurix::testing

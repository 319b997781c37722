// The transport of a Linux process on a segment against the common suite: over a hub, and over a
// pair of interfaces where this process may make one.
#include <plurix/conformance/transport_suite.h>

#include <plurix/posix/monotonic_clock.h>
#include <plurix/segment/hub.h>
#include <plurix/segment/transport.h>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <thread>

namespace plurix::testing {

using namespace conformance;
namespace {

using segment::Hub;
using segment::SegmentTransport;

std::string socket_path() {
  static std::atomic<int> number = 0;
  return "/tmp/plurix-test-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
}

/// A hub in a thread of its own.
class RunningHub {
 public:
  explicit RunningHub(const segment::HubOptions& options = {.path = socket_path()})
      : hub_(options), thread_([this] {
          while (!stopped_) hub_.step(milliseconds(1));
        }) {}
  ~RunningHub() {
    stopped_ = true;
    thread_.join();
  }

  std::string place() const { return "hub:" + hub_.path(); }

 private:
  Hub hub_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

class HubWorld {
 public:
  SegmentTransport& node(std::size_t i) { return *nodes_[i]; }
  Instant now() { return posix::MonotonicClock().now(); }

  HubWorld() {
    for (std::uint32_t i = 0; i < 4; ++i) {
      nodes_[i] = std::make_unique<SegmentTransport>(
          segment::SegmentOptions{.place = hub_.place(), .address = {}}, i);
    }
  }

 private:
  RunningHub hub_;
  std::array<std::unique_ptr<SegmentTransport>, 4> nodes_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(SegmentHub, TransportSuite, HubWorld);

bool run_quietly(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

/// Four virtual interfaces, each with its cable in one virtual switch. Gone with the process.
class Cables {
 public:
  static const Cables& get() {
    static const Cables cables;
    return cables;
  }
  bool made() const { return made_; }
  /// The switch learns no addresses from here on: every cable carries everything.
  void share() const { run_quietly("ip link set " + name_ + " type bridge ageing_time 0"); }
  std::string interface(std::size_t i) const { return name_ + std::to_string(i); }

 private:
  Cables() {
    made_ = run_quietly("ip link add " + name_ + " type bridge") &&
            run_quietly("ip link set " + name_ + " up");
    for (std::size_t i = 0; i < 4 && made_; ++i) made_ = lay_cable(interface(i));
  }
  ~Cables() {
    for (std::size_t i = 0; i < 4; ++i) run_quietly("ip link del " + interface(i));
    run_quietly("ip link del " + name_);
  }

  bool lay_cable(const std::string& here) const {
    const auto there = here + "s";
    return run_quietly("ip link add " + here + " type veth peer name " + there) &&
           run_quietly("ip link set " + there + " master " + name_) &&
           run_quietly("ip link set " + there + " up") &&
           run_quietly("ip link set " + here + " up");
  }

  std::string name_ = "plx" + std::to_string(::getpid() % 1'000'000) + "x";
  bool made_ = false;
};

class InterfaceWorld {
 public:
  static std::string why_unavailable() {
    if (auto why = segment::why_no_interfaces(); !why.empty()) return why;
    return Cables::get().made() ? "" : "no virtual interfaces can be made here";
  }

  SegmentTransport& node(std::size_t i) { return *nodes_[i]; }
  Instant now() { return posix::MonotonicClock().now(); }

  InterfaceWorld() {
    for (std::uint32_t i = 0; i < 4; ++i) {
      const auto place = "interface:" + Cables::get().interface(i);
      nodes_[i] = std::make_unique<SegmentTransport>(
          segment::SegmentOptions{.place = place, .address = {}}, i);
    }
  }

 private:
  std::array<std::unique_ptr<SegmentTransport>, 4> nodes_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(SegmentInterface, TransportSuite, InterfaceWorld);

/// The sizes of the messages that come to a node, and of those it overhears.
class Heard {
 public:
  explicit Heard(SegmentTransport& net) : net_(net) {}

  void overhear() { net_.overhear(keep(overheard)); }

  /// Until so many have come, but not for ever.
  void await(std::size_t messages) {
    const auto until = posix::MonotonicClock().now() + milliseconds(2'000);
    while (own.size() + overheard.size() < messages && posix::MonotonicClock().now() < until) {
      net_.wait(posix::MonotonicClock().now() + milliseconds(10));
      (void)net_.poll(keep(own));
    }
  }

  std::vector<std::size_t> own;
  std::vector<std::size_t> overheard;

 private:
  static FrameSink keep(std::vector<std::size_t>& sizes) {
    return {[](void* self, Bytes frame, const Endpoint&) noexcept {
              static_cast<std::vector<std::size_t>*>(self)->push_back(frame.size());
            },
            &sizes};
  }

  SegmentTransport& net_;
};

/// Nodes 0 to 2 are members, node 0 listens, node 3 is a stranger.
template <class World>
void expect_overhearing(World& world) {
  for (NodeId n = 0; n < 3; ++n) {
    for (std::size_t i = 0; i < 4; ++i) {
      if (n != i) world.node(i).set_peer(n, world.node(n).local_endpoint());
    }
  }
  const std::vector<std::byte> page(4'300);
  const auto bytes = [&](std::size_t count) { return Bytes(page).first(count); };
  Heard listener(world.node(0));
  Heard receiver(world.node(1));
  listener.overhear();
  world.node(0).send(1, bytes(10), {});
  receiver.await(1);  // what node 0 had asked for before is done, too
  world.node(3).send(1, bytes(2'000), {});
  world.node(2).send(1, bytes(100), bytes(4'100));
  world.node(2).send(0, bytes(50), {});
  world.node(1).send(2, bytes(60), {});  // no page
  world.node(1).send(2, bytes(4'300), {});
  listener.await(3);
  EXPECT_THAT(listener.overheard, ::testing::UnorderedElementsAre(4'200, 4'300));
  EXPECT_THAT(listener.own, ::testing::ElementsAre(50));
  receiver.await(3);
  EXPECT_THAT(receiver.own, ::testing::UnorderedElementsAre(10, 2'000, 4'200));
}

TEST(SegmentTransportTest, OverhearsMembersAtAHub) {
  HubWorld world;
  expect_overhearing(world);
}

TEST(SegmentTransportTest, OverhearsMembersOnACable) {
  if (const auto why = InterfaceWorld::why_unavailable(); !why.empty()) GTEST_SKIP() << why;
  Cables::get().share();
  InterfaceWorld world;
  expect_overhearing(world);
}

}  // namespace
}  // namespace plurix::testing

// How long from touching an absent page to having it: a plain pointer (a real trap) and a Ref,
// beside a ping-pong of the same sizes over bare sockets between the same two processes.
#include "support/node.h"
#include "support/raw_udp.h"
#include "support/report.h"
#include "support/samples.h"

#include <array>
#include <optional>

namespace plurix::bench {
namespace {

constexpr std::size_t kPages = 33;  // the first one is fetched ahead of the measurement
constexpr std::size_t kTouched = kPages - 1;
using Arena = Pages<kPages>;
using Times = std::array<double, kTouched>;

constexpr std::size_t kRequestBytes = sizeof(wire::FrameHeader) + sizeof(wire::PageRequest);
constexpr std::size_t kReplyBytes = sizeof(wire::FrameHeader) + sizeof(wire::PageReply) + kPageSize;

enum Order { kJoin, kWrite, kEcho, kQuit };

struct Setup {
  posix::FaultSourceKind source;
  Placement placement;
  std::string cluster = fresh_cluster();
  Shared<Orders> orders = {};
  RawSocket driver_socket;
  RawSocket peer_socket;
};

// The process that owns the pages.
class Owner {
 public:
  explicit Owner(Setup& setup) : setup_(setup) {}

  void live() {
    pin_to(cpu_of(setup_.placement, 1));
    setup_.orders->follow(
        0, [this] { idle(); }, [this](int what, std::int64_t) { return obey(what); });
  }

 private:
  void idle() {
    if (node_) node_->serve(node_->now() + microseconds(50));
  }

  bool obey(int what) {
    if (what == kJoin) node_.emplace(node_options(setup_.cluster, false, setup_.source));
    if (what == kWrite) write_all();
    if (what == kEcho) echo();
    return what != kQuit;
  }

  void write_all() {
    node_->run([](Transaction& t) {
      const auto arena = t.root<Arena>("pages");
      for (std::size_t i = 0; i < kPages; ++i) ++arena.element(&Arena::page, i).mut()->word;
    });
  }

  // Until a datagram of one byte says that it is enough.
  void echo() {
    std::array<std::byte, kReplyBytes> buffer = {};
    const auto waiting = waiting_for(setup_.placement);
    while (setup_.peer_socket.receive(buffer.data(), buffer.size(), waiting) != 1) {
      setup_.peer_socket.send(buffer.data(), buffer.size());
    }
  }

  Setup& setup_;
  std::optional<posix::Node> node_;
};

class Driver {
 public:
  explicit Driver(Setup& setup)
      : setup_(setup), node_(node_options(setup.cluster, true, setup.source)) {
    order(node_, *setup_.orders, 1, kJoin);
    take_new_pages();
    offset_ = node_.run([](Transaction& t) { return t.root<Arena>("pages").offset(); });
  }
  ~Driver() { setup_.orders->give(kQuit); }

  void round() {
    ping_pong();
    take_new_pages();
    fault_by_pointer();
    take_new_pages();
    fault_by_ref();
  }

  Samples raw, by_pointer, by_ref;

 private:
  void ping_pong() {
    setup_.orders->give(kEcho);
    std::array<std::byte, kReplyBytes> buffer = {};
    const auto waiting = waiting_for(setup_.placement);
    const auto once = [&] {
      setup_.driver_socket.send(buffer.data(), kRequestBytes);
      setup_.driver_socket.receive(buffer.data(), buffer.size(), waiting);
    };
    once();
    for (std::size_t i = 0; i < kTouched; ++i) raw.add(microseconds_of(once));
    setup_.driver_socket.send(buffer.data(), 1);
    serve_until(node_, [this] { return setup_.orders->done(1); });
  }

  // Afterwards every page is absent here.
  void take_new_pages() {
    const auto before = node_.commit_time();
    order(node_, *setup_.orders, 1, kWrite);
    serve_until(node_, [&] { return node_.commit_time() > before; });
  }

  void fault_by_pointer() {
    Times times;
    node_.run([&](Transaction& t) {
      const auto arena = t.at<Arena>(offset_);
      const auto* pages = t.raw(arena.element(&Arena::page, 0));
      for (std::size_t i = 0; i < kTouched; ++i) {
        times[i] = microseconds_of([&] { touch(pages[i + 1].word); });
      }
    });
    for (const auto time : times) by_pointer.add(time);
  }

  void fault_by_ref() {
    Times times;
    node_.run([&](Transaction& t) {
      const auto arena = t.at<Arena>(offset_);
      (void)arena.element(&Arena::page, 0)->word;
      for (std::size_t i = 0; i < kTouched; ++i) {
        const auto page = arena.element(&Arena::page, i + 1);
        times[i] = microseconds_of([&] { touch(page->word); });
      }
    });
    for (const auto time : times) by_ref.add(time);
  }

  Setup& setup_;
  posix::Node node_;
  std::uint64_t offset_ = 0;
};

void measure(const Options& options, const Report& report, posix::FaultSourceKind source,
             Placement placement) {
  Setup setup{.source = source, .placement = placement};
  setup.driver_socket.connect_to(setup.peer_socket.port());
  setup.peer_socket.connect_to(setup.driver_socket.port());
  Child owner([&] { Owner(setup).live(); });
  pin_to(cpu_of(placement, 0));
  Driver driver(setup);
  for (int i = 0; i < options.rounds(400); ++i) driver.round();
  unpin();
  const auto where =
      std::string(", ") + std::string(to_string(source)) + ", " + to_string(placement);
  const auto aim = Aim::ratio_at_most(1.75);
  const auto yardstick = driver.raw.median();
  report.add({"plain pointer" + where, driver.by_pointer.median(), yardstick, aim});
  report.add({"Ref" + where, driver.by_ref.median(), yardstick, aim});
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  const auto options = parse_options(argc, argv, "fault_bench: from touching to having a page");
  const Report report(options, "fault", "us",
                      "UDP ping-pong, " + std::to_string(kRequestBytes) + " B -> " +
                          std::to_string(kReplyBytes) + " B");
  for (const auto source : fault_sources()) {
    for (const auto placement : {Placement::kTwoCpus, Placement::kOneCpu}) {
      if (placement == Placement::kTwoCpus && !has_two_cpus()) continue;
      measure(options, report, source, placement);
    }
  }
}

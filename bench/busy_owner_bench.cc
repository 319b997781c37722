// How long a fault takes while the owner of the page computes and does not look at its node: the
// network must interrupt it. Beside a ping-pong with a bare process that computes likewise and
// answers in a signal handler, so that both suffer the same from whatever else the machine does.
#include "support/node.h"
#include "support/raw_udp.h"
#include "support/report.h"
#include "support/samples.h"

#include <plurix/base/prng.h>

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <csignal>
#include <optional>

namespace plurix::bench {
namespace {

constexpr std::size_t kPages = 64;
using Arena = Pages<kPages>;

// How long the owner computes at a time, and how often in a row, a small transaction in between.
struct Load {
  Duration computing;
  int computations;
};
constexpr Load kLoad = {milliseconds(200), 5};
constexpr Load kSmokeLoad = {milliseconds(30), 1};
constexpr std::size_t kRequestBytes = sizeof(wire::FrameHeader) + sizeof(wire::PageRequest);
constexpr std::size_t kReplyBytes = sizeof(wire::FrameHeader) + sizeof(wire::PageReply) + kPageSize;

enum Order { kJoin, kWriteAndCompute, kEcho, kRest, kQuit };

struct Setup {
  posix::FaultSourceKind source;
  Placement placement;
  Load load;
  std::string cluster = fresh_cluster();
  Shared<Orders> orders = {};
  RawSocket driver_socket;
  RawSocket peer_socket;
};

void compute_until(Instant end) {
  volatile std::uint64_t sum = 0;
  while (now() < end) {
    for (std::uint64_t i = 0; i < 10'000; ++i) sum = sum * 31 + i;
  }
}

// Answers what comes to a socket from a signal handler while the thread computes.
class SignalEcho {
 public:
  explicit SignalEcho(RawSocket& socket) : socket_(socket) {
    current_ = this;
    struct sigaction ours = {};
    ours.sa_handler = on_signal;
    ours.sa_flags = SA_RESTART;
    ::sigaction(SIGUSR1, &ours, nullptr);
    const f_owner_ex owner = {F_OWNER_TID, ::gettid()};
    ::fcntl(socket_.fd(), F_SETSIG, SIGUSR1);
    ::fcntl(socket_.fd(), F_SETOWN_EX, &owner);
    set_flags(O_ASYNC);
    answer();  // what came before the signals
  }
  ~SignalEcho() { set_flags(0); }
  SignalEcho(const SignalEcho&) = delete;
  SignalEcho& operator=(const SignalEcho&) = delete;

 private:
  static void on_signal(int) { current_->answer(); }

  void answer() {
    std::size_t bytes = 0;
    while (socket_.try_receive(buffer_.data(), buffer_.size(), bytes)) {
      socket_.send(buffer_.data(), buffer_.size());
    }
  }

  void set_flags(int flags) { ::fcntl(socket_.fd(), F_SETFL, flags); }

  static inline SignalEcho* current_ = nullptr;
  RawSocket& socket_;
  std::array<std::byte, kReplyBytes> buffer_ = {};
};

class Owner {
 public:
  explicit Owner(Setup& setup) : setup_(setup) {}

  void live() {
    pin_to(cpu_of(setup_.placement, 1));
    const auto idle = [this] {
      if (node_) node_->serve(node_->now() + microseconds(50));
    };
    setup_.orders->follow(0, idle, [this](int what, std::int64_t) { return obey(what); });
  }

 private:
  bool obey(int what) {
    if (what == kJoin) node_.emplace(node_options(setup_.cluster, false, setup_.source));
    if (what == kWriteAndCompute) write_and_compute();
    if (what == kEcho) echo();
    return what != kQuit;
  }

  void write_and_compute() {
    for (int i = 0; i < setup_.load.computations; ++i) {
      node_->run([](Transaction& t) {
        const auto arena = t.root<Arena>("pages");
        for (std::size_t p = 0; p < kPages; ++p) ++arena.element(&Arena::page, p).mut()->word;
      });
      compute_until(now() + setup_.load.computing);
    }
  }

  // Until the next order, which comes after an answer: nobody is left waiting for one.
  void echo() {
    const auto order = setup_.orders->newest();
    const SignalEcho echo(setup_.peer_socket);
    while (setup_.orders->newest() == order) compute_until(now() + microseconds(100));
  }

  Setup& setup_;
  std::optional<posix::Node> node_;
};

class Driver {
 public:
  explicit Driver(Setup& setup)
      : setup_(setup), node_(node_options(setup.cluster, true, setup.source)) {
    order(node_, *setup_.orders, 1, kJoin);
    order(node_, *setup_.orders, 1, kWriteAndCompute);
    offset_ = node_.run([](Transaction& t) { return t.root<Arena>("pages").offset(); });
  }
  ~Driver() { setup_.orders->give(kQuit); }

  void round() {
    for (int i = 0; i < setup_.load.computations; ++i) ping_pong();
    fault_while_it_computes();
  }

  Samples raw, faults;

 private:
  void ping_pong() {
    setup_.orders->give(kEcho);
    const auto end = now() + setup_.load.computing;
    std::array<std::byte, kReplyBytes> buffer = {};
    do {
      pause_at_random();
      raw.add(microseconds_of([&] {
        setup_.driver_socket.send(buffer.data(), kRequestBytes);
        setup_.driver_socket.receive(buffer.data(), buffer.size(), Waiting::kSpin);
      }));
    } while (now() < end);
    setup_.orders->give(kRest);
    serve_until(node_, [this] { return setup_.orders->done(1); });
  }

  void fault_while_it_computes() {
    setup_.orders->give(kWriteAndCompute);
    auto seen = node_.commit_time();
    for (std::size_t next = kPages; !setup_.orders->done(1);) {
      pause_at_random();
      if (node_.commit_time() > seen) next = 0;  // all pages have been written again
      seen = node_.commit_time();
      if (next < kPages) faults.add(fault(next++));
    }
  }

  void pause_at_random() {
    const auto time = microseconds(static_cast<std::int64_t>(500 + prng_.below(4000)));
    node_.serve(node_.now() + time);
  }

  double fault(std::size_t i) {
    return node_.run([&](Transaction& t) {
      const auto page = t.at<Arena>(offset_).element(&Arena::page, i);
      return microseconds_of([&] { touch(page->word); });
    });
  }

  Setup& setup_;
  posix::Node node_;
  Prng prng_{1};
  std::uint64_t offset_ = 0;
};

void measure(const Options& options, const Report& report, posix::FaultSourceKind source,
             Placement placement) {
  Setup setup{.source = source, .placement = placement, .load = options.smoke ? kSmokeLoad : kLoad};
  setup.driver_socket.connect_to(setup.peer_socket.port());
  setup.peer_socket.connect_to(setup.driver_socket.port());
  Child owner([&] { Owner(setup).live(); });
  pin_to(cpu_of(placement, 0));
  Driver driver(setup);
  for (int i = 0; i < (options.smoke ? 1 : 6); ++i) driver.round();
  unpin();
  const auto where =
      std::string(", ") + std::string(to_string(source)) + ", " + to_string(placement);
  // On one CPU the scheduler decides when the owner runs at all.
  const auto aim = placement == Placement::kTwoCpus ? Aim::figure_at_most(1000) : Aim::none();
  report.add({"median" + where, driver.faults.median(), driver.raw.median()});
  report.add({"99 % within" + where, driver.faults.quantile(0.99), driver.raw.quantile(0.99), aim});
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  const auto options =
      parse_options(argc, argv, "busy_owner_bench: a fault while the page's owner computes");
  const Report report(
      options, "busy_owner", "us",
      "UDP ping-pong of the same sizes with a computing process that answers on SIGIO");
  for (const auto source : fault_sources()) {
    for (const auto placement : {Placement::kTwoCpus, Placement::kOneCpu}) {
      if (placement == Placement::kTwoCpus && !has_two_cpus()) continue;
      measure(options, report, source, placement);
    }
  }
}

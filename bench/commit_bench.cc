// A whole transaction that writes k pages by trap, from begin to commit, beside a bare program that
// does what any implementation must: trap, copy, open; if the token is elsewhere one request and
// one grant; protect again; send the same bytes to the same number of peers.
#include "support/bare_pages.h"
#include "support/node.h"
#include "support/raw_udp.h"
#include "support/report.h"
#include "support/samples.h"

#include <array>
#include <deque>
#include <optional>

namespace plurix::bench {
namespace {

constexpr std::size_t kMostPages = 512;
constexpr std::array<std::size_t, 4> kSizes = {1, 8, 64, 512};
using Arena = Pages<kMostPages>;

constexpr std::size_t kTokenRequestBytes = sizeof(wire::FrameHeader) + sizeof(TokenRequest);
constexpr std::size_t kTokenGrantBytes = sizeof(wire::FrameHeader) + sizeof(wire::TokenGrant);

enum Order { kJoin, kTakeToken, kListen, kQuit };

struct Setup {
  posix::FaultSourceKind source;
  int peers;
  std::string cluster = fresh_cluster();
  Shared<Orders> orders = {};
  std::array<RawSocket, 2> driver_sockets;
  std::array<RawSocket, 2> peer_sockets;
};

class Peer {
 public:
  Peer(Setup& setup, int index) : setup_(setup), index_(index) {}

  void live() {
    pin_to(cpu_of(Placement::kTwoCpus, 1));
    const auto idle = [this] {
      if (node_) node_->serve(node_->now() + microseconds(50));
    };
    setup_.orders->follow(index_, idle, [this](int what, std::int64_t) { return obey(what); });
  }

 private:
  bool obey(int what) {
    if (what == kJoin) node_.emplace(node_options(setup_.cluster, false, setup_.source));
    if (what == kTakeToken && index_ == 0) take_token();
    if (what == kListen) listen();
    return what != kQuit;
  }

  void take_token() {
    node_->run([](Transaction& t) { ++t.root<Pages<1>>("peer's own").mut()->page[0].word; });
  }

  // Receives what comes; grants what is asked for. Until a datagram of one byte.
  void listen() {
    std::array<std::byte, kMaxFrame> buffer = {};
    auto& socket = setup_.peer_sockets[static_cast<std::size_t>(index_)];
    for (;;) {
      const auto bytes = socket.receive(buffer.data(), buffer.size(), Waiting::kSpin);
      if (bytes == 1) return;
      if (buffer[0] == std::byte{'?'}) socket.send(buffer.data(), kTokenGrantBytes);
    }
  }

  Setup& setup_;
  const int index_;
  std::optional<posix::Node> node_;
};

class BareCommitter {
 public:
  explicit BareCommitter(Setup& setup) : setup_(setup), pages_(setup.source, kMostPages) {}

  void begin() {
    setup_.orders->give(kListen);
    pages_.take_signals();
    for (std::size_t i = 0; i < kMostPages; ++i) pages_.write(i, 1);  // as warm as the product's
    pages_.protect_again();
  }
  void end() {
    pages_.give_signals_back();
    for (int i = 0; i < setup_.peers; ++i) socket(i).send(buffer_.data(), 1);
  }

  void commit(std::size_t pages, bool fetch_token) {
    for (std::size_t i = 0; i < pages; ++i) pages_.write(i, 1);
    if (fetch_token) fetch();
    pages_.protect_again();
    for (std::size_t first = 0; first < pages; first += wire::kMaxWords) {
      notify(std::min(wire::kMaxWords, pages - first));
    }
  }

 private:
  RawSocket& socket(int peer) { return setup_.driver_sockets[static_cast<std::size_t>(peer)]; }

  void fetch() {
    buffer_[0] = std::byte{'?'};
    socket(0).send(buffer_.data(), kTokenRequestBytes);
    socket(0).receive(buffer_.data(), buffer_.size(), Waiting::kSpin);
    buffer_[0] = std::byte{};
  }

  void notify(std::size_t words) {
    const auto bytes = sizeof(wire::FrameHeader) + sizeof(wire::RecordHeader) + 4 * words;
    for (int i = 0; i < setup_.peers; ++i) socket(i).send(buffer_.data(), bytes);
  }

  Setup& setup_;
  BarePages pages_;
  std::array<std::byte, kMaxFrame> buffer_ = {};
};

struct Result {
  Samples bare, product;
};

class Driver {
 public:
  explicit Driver(Setup& setup)
      : setup_(setup), bare_(setup), node_(node_options(setup.cluster, true, setup.source)) {
    if (setup.peers > 0) order(node_, *setup.orders, setup.peers, kJoin);
    offset_ = node_.run([](Transaction& t) { return t.root<Arena>("pages").offset(); });
    if (setup.peers > 0) order(node_, *setup.orders, setup.peers, kTakeToken);
  }
  ~Driver() { setup_.orders->give(kQuit); }

  void round(std::size_t pages, bool fetch_token, Result& result) {
    constexpr int kRepeat = 8;
    bare_.begin();
    bare_.commit(pages, fetch_token);
    for (int i = 0; i < kRepeat; ++i) {
      result.bare.add(microseconds_of([&] { bare_.commit(pages, fetch_token); }));
    }
    bare_.end();
    serve_until(node_, [this] { return setup_.orders->done(setup_.peers); });
    commit(pages);
    for (int i = 0; i < kRepeat; ++i) {
      if (fetch_token) order(node_, *setup_.orders, setup_.peers, kTakeToken);
      result.product.add(microseconds_of([&] { commit(pages); }));
    }
  }

 private:
  void commit(std::size_t pages) {
    node_.run([&](Transaction& t) {
      // Opened for reading only, so that every write traps.
      const auto* first = t.raw(t.at<Arena>(offset_).element(&Arena::page, 0));
      for (std::size_t i = 0; i < pages; ++i) write(const_cast<std::uint64_t&>(first[i].word));
    });
  }

  Setup& setup_;
  BareCommitter bare_;
  posix::Node node_;
  std::uint64_t offset_ = 0;
};

void measure(const Options& options, const Report& report, posix::FaultSourceKind source,
             int peers) {
  Setup setup{.source = source, .peers = peers};
  std::deque<Child> children;
  for (int i = 0; i < peers; ++i) {
    const auto at = static_cast<std::size_t>(i);
    setup.driver_sockets[at].connect_to(setup.peer_sockets[at].port());
    setup.peer_sockets[at].connect_to(setup.driver_sockets[at].port());
    children.emplace_back([&setup, i] { Peer(setup, i).live(); });
  }
  pin_to(cpu_of(Placement::kTwoCpus, 0));
  Driver driver(setup);
  for (const bool fetch : {false, true}) {
    if (fetch && peers == 0) continue;
    for (const auto pages : kSizes) {
      Result result;
      const int rounds = options.rounds(pages < 64 ? 200 : 100);
      for (int i = 0; i < rounds; ++i) driver.round(pages, fetch, result);
      report.add({std::to_string(pages) + (pages == 1 ? " page, " : " pages, ") +
                      std::to_string(peers) + " peers, token " + (fetch ? "fetched" : "held") +
                      ", " + std::string(to_string(source)),
                  result.product.median(), result.bare.median(),
                  Aim::ratio_at_most(fetch ? 1.4 : 1.3)});
    }
  }
  unpin();
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  const auto options = parse_options(argc, argv, "commit_bench: transactions of k pages");
  const Report report(options, "commit", "us a transaction",
                      "trap, copy, protect again, send the same bytes");
  for (const auto source : fault_sources()) {
    for (const int peers : {0, 2}) measure(options, report, source, peers);
  }
}

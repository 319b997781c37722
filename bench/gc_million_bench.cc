// A graph of a million objects, a third each in trees, in a row of rings and in one ring, is
// dropped, and three processes reclaim it while a fourth goes on making transactions: how many it
// makes before, during and after, how long that takes, and the longest transaction of a collector.
#include "support/node.h"
#include "support/report.h"
#include "support/samples.h"

#include <plurix/heap/verify.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <string>

#include "workloads/owned_collector.h"

namespace plurix::bench {
namespace {

constexpr int kCollectors = 3;
constexpr int kRing = 20;
constexpr int kAtOnce = 1'000;  ///< objects of one building transaction

struct Vertex {
  long value;
  Link<Vertex> left;
  Link<Vertex> right;
};

struct Plot {
  Link<Vertex> trees;  ///< a row of trees
  Link<Vertex> rings;  ///< a row of rings, each of which leads to the next
  Link<Vertex> ring;   ///< one ring
  Link<Vertex> end;    ///< of it
};

struct Purse {
  long coins[64];
};

enum Order : int { kBuild, kDrop, kQuit };

struct Tally {
  std::uint64_t freed, candidates, visited_alive, trials, gave_way, steps, work;
  std::int64_t longest_work_ns, longest_disturbed_ns, longest_cpu_ns, longest_ns;
};

struct Board {
  Orders orders;
  std::array<Tally, kCollectors> tallies{};
};

/// What this thread has computed so far.
std::int64_t cpu_ns() {
  timespec time{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// A node as its collector sees it, with a meter around the collector's own work: from the begin of
/// a transaction until it wants to commit. Meanwhile it takes in what others commit, when they
/// interrupt it and while it waits for a page. That is computing, too, so those that have taken in
/// something are told apart.
class MeteredNode {
 public:
  explicit MeteredNode(posix::Node& node) : node_(node) {}

  template <class Body>
  auto try_run(Body body) {
    return node_.try_run([&](Transaction& t) {
      const auto frames = this->frames();
      const auto begin = cpu_ns();
      const auto verdict = body(t);
      auto& longest = this->frames() == frames ? longest_ns_ : longest_disturbed_ns_;
      longest = std::max(longest, cpu_ns() - begin);
      return verdict;
    });
  }
  Instant now() { return node_.now(); }
  const auto& protocol() const { return node_.protocol(); }
  std::int64_t longest_ns() const { return longest_ns_; }
  std::int64_t longest_disturbed_ns() const { return longest_disturbed_ns_; }

 private:
  std::uint64_t frames() const { return node_.protocol().core().counters.frames_received; }

  posix::Node& node_;
  std::int64_t longest_ns_ = 0;
  std::int64_t longest_disturbed_ns_ = 0;
};

using Collector = workloads::OwnedCollector<MeteredNode>;

class Gardener {
 public:
  Gardener(const std::string& cluster, Board& board, int index, int objects)
      : board_(board), index_(index), objects_(objects), node_(options(cluster)) {}

  static posix::NodeOptions options(const std::string& cluster, bool founds = false) {
    auto options = node_options(cluster, founds);
    options.heap_bytes = std::size_t{256} << 20;
    options.join_timeout = milliseconds(60'000);
    return options;
  }

  void live() {
    board_.orders.follow(
        index_,
        [this] {
          if (!collect()) node_.serve(node_.now() + microseconds(200));
        },
        [this](int what, std::int64_t) { return obey(what); });
  }

 private:
  static Ref<Plot> plot(Transaction& t) { return t.own_root<Plot>("plot"); }

  bool obey(int what) {
    if (what == kBuild) build();
    if (what == kDrop) drop();
    return what != kQuit;
  }

  void build() {
    const int third = objects_ / 3;
    for (int made = 0; made < third; made += kAtOnce) {
      build_some([](Transaction& t) { add_tree(t); });
      build_some([](Transaction& t) { add_rings(t); });
      build_some([](Transaction& t) { lengthen(t); });
    }
    node_.run([](Transaction& t) {
      plot(t)->end.ref().mut()->right = plot(t)->ring;
      plot(t).mut()->end = nullptr;
    });
    collect_all();
  }

  template <class Add>
  void build_some(Add add) {
    node_.run(add);
    (void)collect(gc::Occasion::kBetweenTransactions);
    (void)collect(gc::Occasion::kBetweenTransactions);
  }

  bool collect(gc::Occasion occasion = gc::Occasion::kIdle) {
    const auto begin = cpu_ns();
    const bool more = collector_->collect(occasion);
    longest_cpu_ns_ = std::max(longest_cpu_ns_, cpu_ns() - begin);
    return more;
  }

  void collect_all() {
    while (!node_.stopped() && collect()) {
      if (collector_->rests()) node_.serve(node_.now() + microseconds(50));
    }
  }

  static Ref<Vertex> tree(Transaction& t, int count) {
    const auto vertex = t.make<Vertex>(count);
    if (count > 1) vertex.mut()->left = tree(t, count / 2);
    if (count > 2) vertex.mut()->right = tree(t, count - 1 - count / 2);
    return vertex;
  }

  static void add_tree(Transaction& t) {
    const auto top = t.make<Vertex>();
    top.mut()->left = tree(t, kAtOnce - 1);
    top.mut()->right = plot(t)->trees;
    plot(t).mut()->trees = top;
  }

  static void add_rings(Transaction& t) {
    Ref<Vertex> row = plot(t)->rings;
    for (int made = 0; made < kAtOnce; made += kRing) {
      const auto first = t.make<Vertex>();
      auto last = first;
      for (int i = 1; i < kRing; ++i) {
        const auto next = t.make<Vertex>(i);
        last.mut()->right = next;
        last = next;
      }
      last.mut()->right = first;
      if (row) first.mut()->left = row;
      row = first;
    }
    plot(t).mut()->rings = row;
  }

  static void lengthen(Transaction& t) {
    Ref<Vertex> row = plot(t)->ring;
    for (int i = 0; i < kAtOnce; ++i) {
      const auto vertex = t.make<Vertex>(i);
      if (row) vertex.mut()->right = row;
      if (!row) plot(t).mut()->end = vertex;
      row = vertex;
    }
    plot(t).mut()->ring = row;
  }

  void drop() {
    const auto before = tally();
    node_.run([](Transaction& t) {
      plot(t).mut()->trees = nullptr;
      plot(t).mut()->rings = nullptr;
      plot(t).mut()->ring = nullptr;
    });
    collect_all();
    auto& mine = board_.tallies[static_cast<std::size_t>(index_)];
    mine = tally();
    mine.freed -= before.freed;
    mine.candidates -= before.candidates;
    mine.visited_alive -= before.visited_alive;
    mine.steps -= before.steps;
    mine.work -= before.work;
  }

  Tally tally() {
    const auto& counters = collector_->collector().counters();
    return {counters.freed,
            counters.candidates,
            counters.alive,
            counters.suspended,
            collector_->counters().gave_way,
            collector_->counters().steps,
            counters.work,
            metered_.longest_ns(),
            metered_.longest_disturbed_ns(),
            longest_cpu_ns_,
            collector_->counters().longest.ns};
  }

  Board& board_;
  const int index_;
  const int objects_;
  posix::Node node_;
  MeteredNode metered_{node_};
  Collector collector_{metered_};
  std::int64_t longest_cpu_ns_ = 0;
};

/// The fourth: moves coins, and counts the transactions it makes.
class Worker {
 public:
  explicit Worker(posix::Node& node) : node_(node) {}

  /// Works until `done()`; transactions a second.
  template <class Done>
  double rate_until(Done done) {
    const auto begin = node_.now();
    std::uint64_t made = 0;
    const auto limit = begin + milliseconds(100'000);
    do {
      if (node_.now() >= limit) throw std::runtime_error("the others do not come to an end");
      for (int i = 0; i < 16; ++i, ++made) move_a_coin();
    } while (!done());
    return static_cast<double>(made) * 1e9 / static_cast<double>((node_.now() - begin).ns);
  }

  double rate_for(Duration duration) {
    const auto end = node_.now() + duration;
    return rate_until([&] { return node_.now() >= end; });
  }

 private:
  void move_a_coin() {
    const auto from = prng_.below(64);
    const auto to = prng_.below(64);
    node_.run([&](Transaction& t) {
      const auto purse = t.root<Purse>("purse");
      --purse.mut()->coins[from];
      ++purse.mut()->coins[to];
    });
  }

  posix::Node& node_;
  Prng prng_{1};
};

std::uint64_t objects_in(posix::Node& node) {
  HeapReport report;
  (void)node.read_only(Freshness::kLatest, [&](Transaction& t) { report = verify_heap(t); });
  if (!report.ok()) throw std::runtime_error("the heap is not sound");
  return report.objects;
}

int run(const Report& report, int objects) {
  const auto cluster = fresh_cluster();
  const Shared<Board> board;
  std::vector<Child> children;
  for (int i = 0; i < kCollectors; ++i) {
    children.emplace_back([&, i] { Gardener(cluster, *board, i, objects / kCollectors).live(); });
  }
  posix::Node node(Gardener::options(cluster, true));
  Worker worker(node);
  board->orders.give(kBuild);
  (void)worker.rate_until([&] { return board->orders.done(kCollectors); });
  const auto built = objects_in(node);
  const auto duration = milliseconds(objects < 100'000 ? 50 : 2'000);
  const auto before = worker.rate_for(duration);
  const auto begin = node.now();
  board->orders.give(kDrop);
  const auto during = worker.rate_until([&] { return board->orders.done(kCollectors); });
  const auto seconds = static_cast<double>((node.now() - begin).ns) / 1e9;
  const auto after = worker.rate_for(duration);
  const auto left = objects_in(node);
  board->orders.give(kQuit);
  serve_until(node, [&] { return board->orders.done(kCollectors); });
  for (auto& child : children) (void)child.join();

  Tally all{};
  for (const auto& one : board->tallies) {
    all.freed += one.freed;
    all.candidates += one.candidates;
    all.steps += one.steps;
    all.trials += one.trials;
    all.work += one.work;
    all.longest_ns = std::max(all.longest_ns, one.longest_ns);
    all.longest_work_ns = std::max(all.longest_work_ns, one.longest_work_ns);
    all.longest_disturbed_ns = std::max(all.longest_disturbed_ns, one.longest_disturbed_ns);
    all.longest_cpu_ns = std::max(all.longest_cpu_ns, one.longest_cpu_ns);
  }
  report.add({"objects freed", static_cast<double>(all.freed), static_cast<double>(built - left)});
  report.add({"objects left", static_cast<double>(left), 0});
  report.add({"seconds", seconds, 0});
  report.add({"the fourth: transactions a second during", during, before});
  report.add({"the fourth: transactions a second after", after, before});
  report.add({"collector transactions", static_cast<double>(all.steps), 0});
  report.add({"longest collector transaction: its work, us of CPU",
              static_cast<double>(all.longest_work_ns) / 1e3, 0, Aim::figure_at_most(1'000)});
  report.add({"... that has taken in frames, us of CPU",
              static_cast<double>(all.longest_disturbed_ns) / 1e3, 0});
  report.add({"... with the commit, us of CPU", static_cast<double>(all.longest_cpu_ns) / 1e3, 0});
  report.add(
      {"... with the commit, us by the clock", static_cast<double>(all.longest_ns) / 1e3, 0});
  report.add({"candidates visited", static_cast<double>(all.candidates), 0});
  return left < 100 && all.freed == built - left ? 0 : 1;
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  const auto options =
      parse_options(argc, argv, "gc_million_bench: a graph of a million objects is reclaimed");
  const Report report(options, "gc_million", "units of their own", "before, where it is a rate");
  return run(report, options.smoke ? 18'000 : 999'000);
}

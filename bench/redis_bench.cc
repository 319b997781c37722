// Transactions a second that read a counter and write it back: each of two nodes its own counter,
// and both the same one, beside two clients of a Redis server in the same place that do the same
// with WATCH, GET, MULTI, SET, EXEC. One node, or one client, alone as well.
#include "support/node.h"
#include "support/redis.h"
#include "support/report.h"
#include "support/samples.h"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <optional>

namespace plurix::bench {
namespace {

constexpr int kWorkers = 2;
constexpr auto kSlice = milliseconds(60);
constexpr auto kSmokeSlice = milliseconds(5);

struct alignas(kPageSize) Counter {
  std::uint64_t value;
};

enum Order { kJoin, kNode, kRedis, kQuit };

struct Work {
  bool contended;
  int workers;  ///< the others are idle
};

std::int64_t pack(Work work) { return work.workers * 2 + (work.contended ? 1 : 0); }
Work unpack(std::int64_t packed) { return {packed % 2 == 1, static_cast<int>(packed / 2)}; }

struct Setup {
  Placement placement;
  Duration slice;
  std::string redis_socket;  ///< empty: no Redis here
  std::string cluster = fresh_cluster();
  Shared<Orders> orders = {};
  Shared<std::array<std::atomic<std::uint64_t>, kWorkers>> done = {};
  Shared<std::atomic<bool>> founded = {};
};

class Worker {
 public:
  Worker(Setup& setup, int index) : setup_(setup), index_(index) {}

  void live() {
    pin_to(cpu_of(setup_.placement, index_));
    const auto idle = [this] {
      if (serving_) {
        node_->serve(node_->now() + microseconds(50));
      } else {
        ::usleep(200);
      }
    };
    setup_.orders->follow(index_, idle,
                          [this](int what, std::int64_t word) { return obey(what, word); });
  }

 private:
  bool obey(int what, std::int64_t word) {
    if (what == kJoin) join();
    serving_ = what == kJoin || what == kNode;
    if (what == kNode) count(unpack(word), [this](bool shared) { return increment(shared); });
    if (what == kRedis) {
      count(unpack(word), [this](bool shared) { return redis_->increment(key(shared)); });
    }
    return what != kQuit;
  }

  void join() {
    const bool founds = index_ == 0;
    while (!founds && !setup_.founded->load()) ::usleep(1000);
    node_.emplace(node_options(setup_.cluster, founds));
    setup_.founded->store(true);
    if (!setup_.redis_socket.empty()) redis_.emplace(setup_.redis_socket);
  }

  template <class Increment>
  void count(Work work, Increment increment) {
    std::uint64_t done = 0;
    const auto end = now() + setup_.slice;
    while (index_ < work.workers && now() < end) {
      if (increment(work.contended)) ++done;
    }
    (*setup_.done)[static_cast<std::size_t>(index_)].store(done);
  }

  bool increment(bool shared) {
    auto& offset = offset_[shared ? 1 : 0];
    node_->run([&](Transaction& t) {
      const auto counter = offset == 0 ? t.root<Counter>(key(shared)) : t.at<Counter>(offset);
      offset = counter.offset();
      counter.mut()->value = counter->value + 1;
    });
    return true;
  }

  std::string key(bool shared) const { return shared ? "shared" : "own" + std::to_string(index_); }

  Setup& setup_;
  const int index_;
  bool serving_ = false;
  std::optional<posix::Node> node_;
  std::optional<RedisClient> redis_;
  std::array<std::uint64_t, 2> offset_ = {};
};

class Driver {
 public:
  explicit Driver(Setup& setup) : setup_(setup) {
    for (int i = 0; i < kWorkers; ++i) {
      children_.emplace_back([&setup, i] { Worker(setup, i).live(); });
    }
    tell(kJoin, {});
  }
  ~Driver() { setup_.orders->give(kQuit); }

  /// Thousands of transactions a second of all workers together.
  double rate(Order order, Work work) {
    tell(order, work);
    std::uint64_t sum = 0;
    for (const auto& done : *setup_.done) sum += done.load();
    return static_cast<double>(sum) / (static_cast<double>(setup_.slice.ns) / 1e6);
  }

 private:
  void tell(Order order, Work work) {
    setup_.orders->give(order, pack(work));
    const auto limit = now() + milliseconds(30'000);
    while (!setup_.orders->done(kWorkers)) {
      if (now() > limit) throw std::runtime_error("a process of this benchmark does not answer");
      ::usleep(500);
    }
  }

  Setup& setup_;
  std::deque<Child> children_;
};

void measure(const Options& options, const Report& report, Placement placement) {
  const auto why_not = why_no_redis();
  std::optional<RedisServer> server;
  if (why_not.empty()) server.emplace();
  Setup setup{.placement = placement,
              .slice = options.smoke ? kSmokeSlice : kSlice,
              .redis_socket = server ? server->socket_path() : ""};
  // On two CPUs the scheduler places the server: it knows better than any fixed choice.
  if (server && placement == Placement::kOneCpu) server->pin_to(cpu_of(placement, 0));
  Driver driver(setup);
  struct Case {
    const char* what;
    Work work;
    Aim aim;
  };
  const std::array<Case, 3> cases = {{
      {"private counter, one alone", {false, 1}, Aim::ratio_at_least(1.5)},
      {"private counter each, two", {false, 2}, Aim::ratio_at_least(1.5)},
      {"one contended counter, two", {true, 2}, Aim::ratio_at_least(1)},
  }};
  for (const auto& c : cases) {
    Samples product;
    Samples redis;
    for (int i = 0; i < (options.smoke ? 1 : 15); ++i) {
      product.add(driver.rate(kNode, c.work));
      if (server) redis.add(driver.rate(kRedis, c.work));
    }
    const auto what = std::string(c.what) + ", " + to_string(placement);
    report.add({what, product.median(), redis.median(), c.aim});
    if (!server) report.skip(what + ", Redis", why_not);
  }
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  const auto options = parse_options(argc, argv, "redis_bench: read a counter and write it back");
  const Report report(options, "redis", "1000 transactions/s",
                      "Redis on a unix socket, WATCH GET | MULTI SET EXEC");
  for (const auto placement : {Placement::kOneCpu, Placement::kTwoCpus}) {
    if (placement == Placement::kTwoCpus && !has_two_cpus()) continue;
    measure(options, report, placement);
  }
}

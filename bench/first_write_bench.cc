// The first write to a page in a transaction: by a trap, transparently, through a plain pointer;
// with mut(), without a trap; and what a second running thread adds. The limit is a bare signal
// and a copy of 4 KiB.
#include "support/bare_pages.h"
#include "support/node.h"
#include "support/report.h"
#include "support/samples.h"

#include <atomic>
#include <thread>

namespace plurix::bench {
namespace {

constexpr std::size_t kPages = 65;  // the first one is looked up ahead of the measurement
constexpr std::size_t kWritten = kPages - 1;
using Arena = Pages<kPages>;

// A thread of this process that runs, or sleeps, on another CPU.
class SecondThread {
 public:
  SecondThread() : thread_([this] { live(); }) {}
  ~SecondThread() {
    set(State::kOver);
    thread_.join();
  }

  void run(bool on) {
    set(on ? State::kRun : State::kSleep);
    while (seen_.load() != state_.load()) std::this_thread::yield();
  }

 private:
  enum class State { kSleep, kRun, kOver };

  void set(State state) {
    state_.store(state);
    state_.notify_one();
  }

  void live() {
    pin_to(cpu_of(Placement::kTwoCpus, 1));
    for (;;) {
      const auto state = state_.load();
      seen_.store(state);
      if (state == State::kOver) return;
      if (state == State::kSleep) state_.wait(state);
    }
  }

  std::atomic<State> state_{State::kSleep};
  std::atomic<State> seen_{State::kRun};
  std::thread thread_;
};

class Driver {
 public:
  explicit Driver(posix::FaultSourceKind source)
      : bare_(source, kPages), node_(node_options(fresh_cluster(), true, source)) {
    offset_ = node_.run([](Transaction& t) { return t.root<Arena>("pages").offset(); });
  }

  void round() {
    second_.run(false);
    limit.add(trap_and_copy());
    transparent.add(write_transparently());
    explicit_writes.add(write_by_mut());
    second_.run(true);
    beside_thread.add(write_transparently());
    second_.run(false);
  }

  Samples limit, transparent, explicit_writes, beside_thread;
  std::uint64_t traps_of_mut = 0;

 private:
  template <class F>
  static double each(F f) {
    return microseconds_of([&] {
             for (std::size_t i = 1; i <= kWritten; ++i) f(i);
           }) /
           kWritten;
  }

  double trap_and_copy() {
    bare_.take_signals();
    const auto time = each([this](std::size_t i) { bare_.trap_and_copy(i); });
    bare_.give_signals_back();
    return time;
  }

  double write_transparently() {
    return node_.run([this](Transaction& t) {
      const auto* pages = t.raw(t.at<Arena>(offset_).element(&Arena::page, 0));
      return each([pages](std::size_t i) { write(const_cast<std::uint64_t&>(pages[i].word)); });
    });
  }

  double write_by_mut() {
    const auto before = node_.counters().faults;
    const auto time = node_.run([this](Transaction& t) {
      const auto arena = t.at<Arena>(offset_);
      ++arena.element(&Arena::page, 0).mut()->word;
      return each([arena](std::size_t i) { write(arena.element(&Arena::page, i).mut()->word); });
    });
    traps_of_mut += node_.counters().faults - before;
    return time;
  }

  BarePages bare_;
  posix::Node node_;
  SecondThread second_;
  std::uint64_t offset_ = 0;
};

void measure(const Options& options, const Report& report, posix::FaultSourceKind source) {
  pin_to(cpu_of(Placement::kTwoCpus, 0));
  Driver driver(source);
  const int rounds = options.rounds(1000);
  for (int i = 0; i < rounds; ++i) driver.round();
  unpin();
  const auto with = ", " + std::string(to_string(source));
  const bool uffd = source == posix::FaultSourceKind::kUserfaultfd;
  const auto limit = driver.limit.median();
  const auto alone = driver.transparent.median();
  report.add({"by trap" + with, alone, limit, uffd ? Aim::ratio_at_most(2) : Aim::none()});
  report.add({"by trap, second thread running (beside: without)" + with,
              driver.beside_thread.median(), alone,
              uffd && has_two_cpus() ? Aim::ratio_at_most(1.15) : Aim::none()});
  report.add({"by mut() (beside: by trap)" + with, driver.explicit_writes.median(), alone,
              Aim::ratio_at_most(1)});
  report.add({"traps of mut(), each write" + with,
              static_cast<double>(driver.traps_of_mut) / (rounds * double{kWritten}), 0,
              Aim::figure_at_most(0)});
}

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  using namespace plurix::bench;
  const auto options = parse_options(argc, argv, "first_write_bench: the first write to a page");
  const Report report(options, "first_write", "us a page",
                      "bare signal and copy of 4 KiB, where nothing else is said");
  for (const auto source : fault_sources()) measure(options, report, source);
}

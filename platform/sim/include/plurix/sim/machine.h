// One simulated machine: a fiber that runs the application and the node, a port on the network, a
// clock and a page table in software. What a node's policies are made of in the simulator.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/clock.h>
#include <plurix/concepts/fault_source.h>
#include <plurix/concepts/trace_sink.h>
#include <plurix/sim/fiber.h>
#include <plurix/sim/network.h>

#include <memory>

namespace plurix::sim {

/// A clock that runs at a speed of its own, in thousandths of real time, and never backwards.
class DriftingClock {
 public:
  explicit DriftingClock(Instant start) noexcept : real_(start), shown_(start) {}

  Instant shown_at(Instant real) const noexcept {
    return shown_ + Duration{(real - real_).ns * speed_ / 1000};
  }

  /// The first real instant at which the clock shows `shown`, unless its speed changes before.
  Instant real_at(Instant shown) const noexcept {
    if (shown == kNever || shown <= shown_) return shown == kNever ? kNever : real_;
    return real_ + Duration{((shown - shown_).ns * 1000 + speed_ - 1) / speed_};
  }

  void set_speed(std::uint32_t thousandths, Instant real) noexcept {
    shown_ = shown_at(real);
    real_ = real;
    speed_ = thousandths;
  }

 private:
  Instant real_;   ///< when the speed was set
  Instant shown_;  ///< what the clock showed then
  std::int64_t speed_ = 1000;
};

class Machine {
 public:
  Machine(Scheduler& scheduler, Network& network, std::uint64_t seed);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Starts `program` on the machine at the current instant.
  void start(std::function<void()> program);

  /// Called when frames arrive while the program computes: the machine's interrupt.
  void on_interrupt(std::function<void()> handler) { interrupt_ = std::move(handler); }

  /// Called after the machine has done anything.
  void after_each_slice(std::function<void()> check) { after_slice_ = std::move(check); }

  /// Stops and continues the machine as SIGSTOP does: frames pile up, time goes on.
  void freeze(bool on);

  /// Lets the machine's clock run at `speed` thousandths of real time from now on.
  void set_clock_speed(std::uint32_t speed);
  /// Stops the machine for good, wherever it is: its stack is never gone on with, what has arrived
  /// is lost, and `start` switches it on again. Not from inside its program.
  void kill();
  bool on() const noexcept { return state_ != State::kIdle; }

  // From inside the program:
  /// Sleeps until a frame arrives or until the machine's clock shows `until`.
  void sleep(Instant until);
  /// Computes: simulated time passes, and frames interrupt.
  void compute(Duration time);
  /// Now and then lets some time pass: a point where anything may happen.
  void pause();

  bool done() const noexcept { return state_ == State::kDone; }
  bool frozen() const noexcept { return frozen_; }
  const char* state_name() const noexcept;
  PortNumber port() const noexcept { return port_; }
  bool knows_absence() const noexcept { return knows_absence_; }
  Network& network() noexcept { return network_; }
  /// What the machine's clock shows.
  Instant now() const noexcept { return clock_.shown_at(scheduler_.now()); }

 private:
  enum class State : std::uint8_t { kIdle, kRunning, kSleeping, kComputing, kDone };

  void on_arrival();
  void slice();
  void wake(std::uint64_t stop);

  Scheduler& scheduler_;
  Network& network_;
  Prng prng_;
  const bool knows_absence_;
  DriftingClock clock_;
  PortNumber port_;
  std::unique_ptr<Fiber> fiber_;
  std::vector<std::unique_ptr<Fiber>> dead_;  ///< stopped in the middle; what is on them is lost
  std::function<void()> interrupt_;
  std::function<void()> after_slice_;
  State state_ = State::kIdle;
  bool frozen_ = false;
  bool missed_ = false;      ///< something happened while frozen
  std::uint64_t stops_ = 0;  ///< which stop a wake-up belongs to
};

/// Rights kept in a table; nothing traps, whoever works on the pages asks before each access. View
/// and frames are the same memory.
class SoftwareFaultSource {
 public:
  SoftwareFaultSource(Machine& machine, std::uint32_t pages);

  std::byte* view() const noexcept { return frames_; }
  std::byte* frames() const noexcept { return frames_; }
  void protect(PageIndex first, std::uint32_t count, Rights rights) noexcept;
  void on_fault(FaultHandler handler) noexcept { handler_ = handler; }
  bool traps() const noexcept { return false; }
  void pause() { machine_.pause(); }

  Rights rights(PageIndex page) const noexcept { return rights_[page]; }

  /// Reports the access until the rights allow it, as a trap would.
  void check(PageIndex page, Access access) noexcept {
    const auto needed = access == Access::kRead ? Rights::kRead : Rights::kWrite;
    while (rights_[page] < needed) (void)handler_.call(handler_.context, page, access);
  }

  /// Memory as after switching the machine on.
  void erase() noexcept;

 private:
  struct Free {
    void operator()(std::byte* block) const noexcept;
  };

  Machine& machine_;
  std::unique_ptr<std::byte, Free> memory_;
  std::byte* frames_;
  std::size_t bytes_;
  std::vector<Rights> rights_;
  FaultHandler handler_;
};
static_assert(FaultSource<SoftwareFaultSource>);

class SimClock {
 public:
  explicit SimClock(const Machine& machine) noexcept : machine_(machine) {}
  Instant now() const noexcept { return machine_.now(); }

 private:
  const Machine& machine_;
};
static_assert(Clock<SimClock>);

class SimTransport {
 public:
  static constexpr std::size_t kBatch = 32;

  explicit SimTransport(Machine& machine) noexcept : machine_(&machine) {}

  void send(NodeId to, Bytes head, Bytes payload) noexcept {
    if (to < kMaxNodes && is_peer_[to]) send_to(peers_[to], head, payload);
  }
  void broadcast(Bytes head, Bytes payload) noexcept {
    for (NodeId node = 0; node < kMaxNodes; ++node) send(node, head, payload);
  }
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
    machine_->network().send(machine_->port(), endpoint_port(endpoint), head, payload);
  }
  std::size_t poll(FrameSink sink) noexcept;
  void overhear(FrameSink sink) noexcept;
  void wait(Instant until) noexcept;
  void set_peer(NodeId node, const Endpoint& endpoint) noexcept {
    if (node >= kMaxNodes) return;
    peers_[node] = endpoint;
    is_peer_[node] = true;
  }
  void remove_peer(NodeId node) noexcept {
    if (node < kMaxNodes) is_peer_[node] = false;
  }
  Endpoint local_endpoint() const noexcept { return port_endpoint(machine_->port()); }
  /// Every second machine can tell, here or in the next seed.
  bool is_absent(const Endpoint& endpoint) noexcept {
    return machine_->knows_absence() && machine_->network().is_absent(endpoint_port(endpoint));
  }

 private:
  Machine* machine_;
  FrameSink overheard_;
  Endpoint peers_[kMaxNodes];
  bool is_peer_[kMaxNodes] = {};
};
static_assert(Transport<SimTransport> && Overhears<SimTransport>);

/// An event and when it happened: the node's own clock may show something else.
struct TimedRecord {
  Instant at;
  TraceRecord record;
};

/// What a run leaves for whoever wants to see it: a digest of every event (equal runs have equal
/// digests) and, if asked for, the newest events themselves.
struct RunTrace {
  std::uint64_t digest = 0;
  std::size_t keep = 0;  ///< how many of the newest events to keep
  std::deque<TimedRecord> newest;
};

/// Folds every event of a node into the run's trace.
class DigestTraceSink {
 public:
  static constexpr bool kEnabled = true;

  DigestTraceSink(RunTrace& run, const Scheduler& scheduler) noexcept
      : run_(run), scheduler_(scheduler) {}

  void record(const TraceRecord& r) noexcept {
    auto& digest = run_.digest;
    digest = mix(digest, r.commit_time);
    digest = mix(digest, static_cast<std::uint64_t>(r.local_ns));
    digest = mix(digest, std::uint64_t{r.page} << 32 | std::uint64_t{r.node} << 16 |
                             static_cast<std::uint64_t>(r.kind) << 8 | r.flags);
    digest = mix(digest, std::uint64_t{r.a} << 32 | r.b);
    if (run_.keep == 0) return;
    if (run_.newest.size() == run_.keep) run_.newest.pop_front();
    run_.newest.push_back({scheduler_.now(), r});
  }

 private:
  RunTrace& run_;
  const Scheduler& scheduler_;
};
static_assert(TraceSink<DigestTraceSink>);

}  // namespace plurix::sim

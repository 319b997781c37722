// DatagramInterrupt: lets the network reach a thread that computes, as an interrupt reaches a
// kernel. A timer ticks while the thread runs; when two ticks in a row find that the node has not
// looked at its socket in between, the thread asks for a signal per datagram until it next waits.
// So a thread that talks often pays one tick a period, and one that computes answers within
// microseconds. A thread that computed long before its last wait is expected to do so again and
// asks for the signals at once.
//
// The timer counts the thread's own CPU time: a sleeping thread is woken by no tick, and the kernel
// delivers it from its scheduler's tick without programming the hardware for it. Ticks are
// therefore never closer than that one (4 ms where CONFIG_HZ is 250). A timer on CLOCK_MONOTONIC
// was measured in a virtual machine at 15 to 30 µs a tick, that is 2 % at 1 ms. A second timer does
// run on that clock, fifty times less often: it finds the thread that sleeps in a system call of
// the application's, where it uses no CPU time and answers nobody.
//
// Signals: SIGIO for datagrams, SIGRTMIN + 3 for ticks. Both handlers run on the alternate stack
// with these two signals blocked and no other (SA_RESTART); keeping them out of critical parts is
// the node's own flag's job. Signals that are not ours go to the handler that was there before.
#pragma once

#include <plurix/base/time.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace plurix::posix {

enum class InterruptCause : std::uint8_t { kTick, kDatagram };

/// Where the application was when it was interrupted.
struct InterruptContext {
  InterruptCause cause;
  /// The interrupted instruction lies in the C or C++ runtime library (which may hold a lock or
  /// be half-way through malloc): the handler must return to it, never restore another context.
  /// Always true where the runtime is linked statically and cannot be told apart.
  bool interrupted_in_runtime;
  std::uintptr_t pc;      ///< address of the interrupted instruction
  void* machine_context;  ///< the ucontext_t
};

/// May leave the interrupted code by restoring another context; DatagramInterrupt::unblock comes
/// first then.
using InterruptHandler = void (*)(void* context, const InterruptContext& interrupt) noexcept;

/// Belongs to the thread that constructs it; one a thread. All calls come from that thread.
class DatagramInterrupt {
 public:
  static constexpr Duration kDefaultPeriod = milliseconds(1);
  static constexpr Duration kSleepingPeriod = milliseconds(50);

  DatagramInterrupt() noexcept = default;
  ~DatagramInterrupt();
  DatagramInterrupt(const DatagramInterrupt&) = delete;
  DatagramInterrupt& operator=(const DatagramInterrupt&) = delete;

  /// Starts to interrupt this thread on behalf of socket `fd`; `period` is CPU time. Throws
  /// EnvironmentError when the timer cannot be had or this thread has a DatagramInterrupt attached
  /// already.
  void attach(int fd, InterruptHandler handler, void* context, Duration period = kDefaultPeriod);
  /// Stops. Nothing is delivered after it returned.
  void detach() noexcept;

  /// The node looked at its socket. Any context; costs an increment.
  void entered() noexcept {
    entries_.store(entries_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  /// Before waiting: no signal per datagram from here on. A system call only if they were on. Any
  /// context.
  void quiet() noexcept {
    entered();
    expect_long_ = ticks_ != ticks_at_start_ || datagram_signals_ != signals_at_start_;
    if (per_datagram()) switch_async(false);
  }

  /// After waiting: the application goes on. A system call only if it computed long last time; then
  /// true, and the node should look at its socket once more, since what came before the call does
  /// not signal. Not to call it costs the others a late answer, no more. Any context.
  bool computing() noexcept {
    ticks_at_start_ = ticks_;
    signals_at_start_ = datagram_signals_;
    if (!expect_long_ || per_datagram() || fd_ < 0) return false;
    switch_async(true);
    return true;
  }

  /// Gives the thread the signal mask that the interrupted code had. For a handler that will not
  /// return.
  static void unblock(const InterruptContext& interrupt) noexcept;

  /// The mask to sleep with (ppoll): the thread's own plus the tick, so that one which is already
  /// under way does not end the sleep.
  const sigset_t& sleep_mask() const noexcept { return sleep_mask_; }

  /// Counters for tests and traces.
  std::uint64_t ticks() const noexcept { return ticks_; }
  std::uint64_t datagram_signals() const noexcept { return datagram_signals_; }
  bool per_datagram() const noexcept { return async_on_.load(std::memory_order_relaxed); }

  static int tick_signal() noexcept { return SIGRTMIN + 3; }
  static int datagram_signal() noexcept { return SIGIO; }

 private:
  friend struct InterruptSignals;

  struct Tick {
    timer_t timer = {};
    std::uint32_t entries = 0;  ///< when it ticked last
  };

  static bool start_timer(Tick& tick, clockid_t clock, int thread, Duration period) noexcept;
  void on_tick(Tick& tick, void* machine_context) noexcept;
  void on_datagram(void* machine_context) noexcept;
  void switch_async(bool on) noexcept;
  void call_handler(InterruptCause cause, void* machine_context) noexcept;

  int fd_ = -1;
  InterruptHandler handler_ = nullptr;
  void* context_ = nullptr;
  Tick cpu_tick_;   ///< counts the thread's CPU time
  Tick wall_tick_;  ///< counts real time
  sigset_t sleep_mask_ = {};
  int file_flags_ = 0;
  std::atomic<std::uint32_t> entries_{0};
  std::atomic<bool> async_on_{false};
  std::uint64_t ticks_ = 0;
  std::uint64_t datagram_signals_ = 0;
  std::uint64_t ticks_at_start_ = 0;  ///< of the computation that is going on
  std::uint64_t signals_at_start_ = 0;
  bool expect_long_ = false;
};

}  // namespace plurix::posix

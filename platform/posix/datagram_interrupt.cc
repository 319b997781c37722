#include "posix/runtime_text.h"
#include "posix/signal_chain.h"

#include <plurix/posix/datagram_interrupt.h>
#include <plurix/posix/environment_error.h>

#include <fcntl.h>
#include <ucontext.h>
#include <unistd.h>
#include <cerrno>
#include <mutex>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace plurix::posix {
namespace {

// initial-exec: reading it from a signal handler must not allocate.
[[gnu::tls_model("initial-exec")]] constinit thread_local DatagramInterrupt* t_current = nullptr;

constinit std::mutex g_installing;
constinit bool g_installed = false;
constinit struct sigaction g_previous_tick = {};
constinit struct sigaction g_previous_datagram = {};

// A signal may still be under way after its owner has gone. The default action would end the
// process for it, so only a handler that somebody set is called.
void pass_on_to_handler(struct sigaction& previous, int signal, siginfo_t* info, void* machine) {
  const bool plain = (previous.sa_flags & SA_SIGINFO) == 0;
  if (plain && (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)) return;
  pass_on(previous, signal, info, machine);
}

std::uintptr_t program_counter(const void* machine) {
  return static_cast<std::uintptr_t>(
      static_cast<const ucontext_t*>(machine)->uc_mcontext.gregs[REG_RIP]);
}

[[noreturn]] void fail_to_tick() {
  const int error = errno;
  t_current = nullptr;
  throw EnvironmentError("datagrams cannot interrupt this thread", describe_errno(error),
                         "Look at the limit of pending signals (ulimit -i)");
}

}  // namespace

// The two handlers. A friend, so that only they reach into the object.
struct InterruptSignals {
  static void tick(int signal, siginfo_t* info, void* machine) {
    const int saved_errno = errno;
    auto* current = t_current;
    auto* tick = current == nullptr || info->si_code != SI_TIMER
                     ? nullptr
                     : tick_of(*current, info->si_value.sival_ptr);
    if (tick != nullptr) {
      current->on_tick(*tick, machine);
    } else {
      pass_on_to_handler(g_previous_tick, signal, info, machine);
    }
    errno = saved_errno;
  }

  static DatagramInterrupt::Tick* tick_of(DatagramInterrupt& interrupt, const void* name) {
    if (name == &interrupt.cpu_tick_) return &interrupt.cpu_tick_;
    return name == &interrupt.wall_tick_ ? &interrupt.wall_tick_ : nullptr;
  }

  static void datagram(int signal, siginfo_t* info, void* machine) {
    const int saved_errno = errno;
    auto* current = t_current;
    if (current != nullptr && info->si_fd == current->fd_) {
      current->on_datagram(machine);
    } else {
      pass_on_to_handler(g_previous_datagram, signal, info, machine);
    }
    errno = saved_errno;
  }

  static bool install(int signal, void (*handler)(int, siginfo_t*, void*),
                      struct sigaction& previous) {
    struct sigaction ours = {};
    ours.sa_sigaction = handler;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    // Under a flood of datagrams handlers that may interrupt each other pile up faster than any of
    // them runs, until the stack is full.
    ::sigaddset(&ours.sa_mask, DatagramInterrupt::tick_signal());
    ::sigaddset(&ours.sa_mask, DatagramInterrupt::datagram_signal());
    return ::sigaction(signal, nullptr, &previous) == 0 && ::sigaction(signal, &ours, nullptr) == 0;
  }

  // Stays for the process's lifetime, see pass_on_to_handler.
  static void install_once() {
    const std::lock_guard guard(g_installing);
    if (g_installed) return;
    if (!install(DatagramInterrupt::tick_signal(), tick, g_previous_tick) ||
        !install(DatagramInterrupt::datagram_signal(), datagram, g_previous_datagram)) {
      throw EnvironmentError("the signals for datagrams cannot be handled", describe_errno(errno),
                             "Look for a sandbox that forbids sigaction");
    }
    g_installed = true;
  }
};

DatagramInterrupt::~DatagramInterrupt() { detach(); }

void DatagramInterrupt::attach(int fd, InterruptHandler handler, void* context, Duration period) {
  if (t_current != nullptr) {
    throw EnvironmentError("datagrams cannot interrupt this thread",
                           "another node interrupts it already", "Give each node its own thread");
  }
  find_runtime_text();
  InterruptSignals::install_once();
  fd_ = fd;
  handler_ = handler;
  context_ = context;
  file_flags_ = ::fcntl(fd, F_GETFL);
  ::pthread_sigmask(SIG_BLOCK, nullptr, &sleep_mask_);
  ::sigaddset(&sleep_mask_, tick_signal());
  const f_owner_ex owner = {F_OWNER_TID, ::gettid()};
  // F_SETSIG although SIGIO is the default: only then does the signal say which descriptor.
  if (file_flags_ < 0 || ::fcntl(fd, F_SETSIG, datagram_signal()) != 0 ||
      ::fcntl(fd, F_SETOWN_EX, &owner) != 0) {
    throw EnvironmentError("datagrams cannot interrupt this thread", describe_errno(errno),
                           "Look for a sandbox that forbids fcntl on sockets");
  }
  t_current = this;
  if (!start_timer(cpu_tick_, CLOCK_THREAD_CPUTIME_ID, owner.pid, period)) fail_to_tick();
  if (!start_timer(wall_tick_, CLOCK_MONOTONIC, owner.pid, kSleepingPeriod)) {
    const int error = errno;
    ::timer_delete(cpu_tick_.timer);
    errno = error;
    fail_to_tick();
  }
}

bool DatagramInterrupt::start_timer(Tick& tick, clockid_t clock, int thread,
                                    Duration period) noexcept {
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = tick_signal();
  event.sigev_value.sival_ptr = &tick;
  event.sigev_notify_thread_id = thread;
  if (::timer_create(clock, &event, &tick.timer) != 0) return false;
  const timespec interval = {static_cast<time_t>(period.ns / 1'000'000'000),
                             static_cast<long>(period.ns % 1'000'000'000)};
  const itimerspec schedule = {interval, interval};
  ::timer_settime(tick.timer, 0, &schedule, nullptr);
  return true;
}

void DatagramInterrupt::detach() noexcept {
  if (t_current != this) return;
  ::timer_delete(cpu_tick_.timer);
  ::timer_delete(wall_tick_.timer);
  if (per_datagram()) switch_async(false);
  t_current = nullptr;
  fd_ = -1;
}

void DatagramInterrupt::switch_async(bool on) noexcept {
  async_on_.store(on, std::memory_order_relaxed);
  ::fcntl(fd_, F_SETFL, on ? file_flags_ | O_ASYNC : file_flags_ & ~O_ASYNC);
}

void DatagramInterrupt::on_tick(Tick& tick, void* machine_context) noexcept {
  ++ticks_;
  const auto entries = entries_.load(std::memory_order_relaxed);
  const bool away_all_along = entries == tick.entries;
  tick.entries = entries;  // now already: the handler may restore another context
  // Before the node looks: what arrives from here on signals, what came earlier it finds.
  if (away_all_along && !per_datagram()) switch_async(true);
  call_handler(InterruptCause::kTick, machine_context);
  tick.entries = entries_.load(std::memory_order_relaxed);
}

void DatagramInterrupt::on_datagram(void* machine_context) noexcept {
  ++datagram_signals_;
  call_handler(InterruptCause::kDatagram, machine_context);
}

void DatagramInterrupt::unblock(const InterruptContext& interrupt) noexcept {
  const auto* machine = static_cast<const ucontext_t*>(interrupt.machine_context);
  ::pthread_sigmask(SIG_SETMASK, &machine->uc_sigmask, nullptr);
}

void DatagramInterrupt::call_handler(InterruptCause cause, void* machine_context) noexcept {
  const auto pc = program_counter(machine_context);
  handler_(context_, {cause, in_runtime_text(pc), pc, machine_context});
}

}  // namespace plurix::posix

#include "posix/signal_chain.h"

#include <plurix/posix/environment_error.h>
#include <plurix/posix/fault_signals.h>

#include <ucontext.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

namespace plurix::posix {
namespace {

// Read by signal handlers while other threads register: `begin` is written last and taken back
// first, so a slot is never seen half filled.
struct Slot {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<decltype(TrapHandler::call)> call{nullptr};
  std::atomic<void*> context{nullptr};

  void fill(std::uintptr_t from, std::uintptr_t to, TrapHandler handler) {
    call.store(handler.call, std::memory_order_relaxed);
    context.store(handler.context, std::memory_order_relaxed);
    end.store(to, std::memory_order_relaxed);
    begin.store(from, std::memory_order_release);
  }
  void clear() {
    begin.store(0, std::memory_order_release);
    end.store(0, std::memory_order_release);
  }
  bool used() const { return begin.load(std::memory_order_relaxed) != 0; }
  bool covers(std::uintptr_t address) const {
    const auto from = begin.load(std::memory_order_acquire);
    return from != 0 && address >= from && address < end.load(std::memory_order_relaxed);
  }
};

constinit std::array<Slot, TrapRange::kMaxRanges> g_slots;
constinit std::mutex g_registering;
constinit std::size_t g_used = 0;
constinit struct sigaction g_previous_segv = {};
constinit struct sigaction g_previous_bus = {};

#if defined(__x86_64__)
// Page fault error code, Intel SDM volume 3, 4.7: bit 1 a write, bit 4 an instruction fetch.
Access access_of(const ucontext_t* machine) {
  return (machine->uc_mcontext.gregs[REG_ERR] & 2) != 0 ? Access::kWrite : Access::kRead;
}
bool is_fetch(const ucontext_t* machine) { return (machine->uc_mcontext.gregs[REG_ERR] & 16) != 0; }
#else
#error "tell how this processor marks a write in the signal's context"
#endif

bool answer(int signal, const siginfo_t* info, const ucontext_t* machine) {
  // Code is not run from the view: opening a page for reading would not help a fetch.
  if (info->si_code <= 0 || is_fetch(machine)) return false;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (auto& slot : g_slots) {
    if (!slot.covers(address)) continue;
    return slot.call.load(std::memory_order_relaxed)(
        slot.context.load(std::memory_order_relaxed), static_cast<std::byte*>(info->si_addr),
        access_of(machine), signal == SIGSEGV ? TrapSignal::kSegv : TrapSignal::kBus);
  }
  return false;
}

void on_signal(int signal, siginfo_t* info, void* machine) {
  const int saved_errno = errno;
  if (!answer(signal, info, static_cast<ucontext_t*>(machine))) {
    pass_on(signal == SIGSEGV ? g_previous_segv : g_previous_bus, signal, info, machine);
  }
  errno = saved_errno;
}

bool install(int signal, struct sigaction& previous) {
  struct sigaction ours = {};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  // Remembered before ours stands: a foreign fault may come in between.
  return ::sigaction(signal, nullptr, &previous) == 0 && ::sigaction(signal, &ours, nullptr) == 0;
}

void uninstall(int signal, const struct sigaction& previous) {
  struct sigaction current = {};
  ::sigaction(signal, nullptr, &current);
  // Somebody who came later and chains to us must not be thrown out.
  if ((current.sa_flags & SA_SIGINFO) == 0 || current.sa_sigaction != on_signal) return;
  ::sigaction(signal, &previous, nullptr);
}

bool is_ours(int signal) {
  struct sigaction current = {};
  ::sigaction(signal, nullptr, &current);
  return (current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_signal;
}

void take_signals() {
  if ((is_ours(SIGSEGV) || install(SIGSEGV, g_previous_segv)) &&
      (is_ours(SIGBUS) || install(SIGBUS, g_previous_bus))) {
    return;
  }
  throw EnvironmentError("SIGSEGV and SIGBUS cannot be handled", describe_errno(errno),
                         "Look for a sandbox that forbids sigaction");
}

}  // namespace

TrapRange::TrapRange(std::byte* begin, std::size_t bytes, TrapHandler handler) : slot_(0) {
  const std::lock_guard guard(g_registering);
  while (slot_ < kMaxRanges && g_slots[slot_].used()) ++slot_;
  if (slot_ == kMaxRanges) {
    throw EnvironmentError("no room for another guarded address range",
                           "all of the process's are in use", "Run fewer nodes in one process");
  }
  if (g_used == 0) take_signals();
  ++g_used;
  const auto from = reinterpret_cast<std::uintptr_t>(begin);
  g_slots[slot_].fill(from, from + bytes, handler);
}

TrapRange::~TrapRange() {
  const std::lock_guard guard(g_registering);
  g_slots[slot_].clear();
  if (--g_used != 0) return;
  uninstall(SIGSEGV, g_previous_segv);
  uninstall(SIGBUS, g_previous_bus);
}

}  // namespace plurix::posix

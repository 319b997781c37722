#include "posix/signal_chain.h"

namespace plurix::posix {
namespace {

// Of a synchronous fault the kernel says so by a positive code; kill() and its kin have none.
bool repeats_on_return(const siginfo_t* info) { return info->si_code > 0; }

void default_action(int signal, const siginfo_t* info) {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(signal, &standard, nullptr);
  if (!repeats_on_return(info)) ::raise(signal);
}

}  // namespace

void pass_on(struct sigaction& previous, int signal, siginfo_t* info,
             void* machine_context) noexcept {
  const bool plain = (previous.sa_flags & SA_SIGINFO) == 0;
  // The kernel kills a process that ignores a fault, whatever its disposition says.
  if (plain && previous.sa_handler == SIG_IGN && !repeats_on_return(info)) return;
  if (plain && (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)) {
    default_action(signal, info);
    return;
  }
  const struct sigaction handler = previous;
  if ((previous.sa_flags & SA_RESETHAND) != 0) {
    previous = {};
    previous.sa_handler = SIG_DFL;
  }
  sigset_t mask = handler.sa_mask;
  if ((handler.sa_flags & SA_NODEFER) == 0) ::sigaddset(&mask, signal);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &mask, &before);
  if (plain) {
    handler.sa_handler(signal);
  } else {
    handler.sa_sigaction(signal, info, machine_context);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace plurix::posix

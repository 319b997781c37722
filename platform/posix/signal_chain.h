// How a signal that is not ours is passed on to the handler that was there before.
#pragma once

#include <csignal>

namespace plurix::posix {

/// Does what the kernel would have done under `previous`: runs its handler with its mask, or lets
/// the default action happen (by restoring it: a fault repeats, a sent signal is sent again).
/// Signal context.
void pass_on(struct sigaction& previous, int signal, siginfo_t* info,
             void* machine_context) noexcept;

}  // namespace plurix::posix

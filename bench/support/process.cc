#include "support/process.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace plurix::bench {
namespace {

cpu_set_t allowed_at_start() {
  cpu_set_t set;
  ::sched_getaffinity(0, sizeof set, &set);
  return set;
}

// Before anything is pinned: a container may allow only some of the machine's CPUs.
const cpu_set_t kAllowed = allowed_at_start();

int nth_allowed(int n) {
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &kAllowed)) continue;
    last = cpu;
    if (n-- == 0) break;
  }
  return last;
}

}  // namespace

int cpu_of(Placement placement, int side) {
  return nth_allowed(placement == Placement::kOneCpu ? 0 : side);
}

const char* to_string(Placement placement) {
  return placement == Placement::kOneCpu ? "one CPU" : "two CPUs";
}

bool has_two_cpus() { return CPU_COUNT(&kAllowed) >= 2; }

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

void unpin() { ::sched_setaffinity(0, sizeof kAllowed, &kAllowed); }

Child::Child(const std::function<void()>& body) {
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  int status = 0;
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a process of this benchmark failed: %s\n", error.what());
    status = 1;
  }
  std::fflush(nullptr);
  ::_exit(status);
}

Child::~Child() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Child::join() {
  if (pid_ < 0) return true;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace plurix::bench

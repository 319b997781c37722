// ProcessPauser: stops one process of a fleet after the other and lets it go on, as its seed says.
#pragma once

#include <plurix/base/prng.h>

#include <signal.h>
#include <chrono>
#include <cstdint>

#include "node_fleet.h"
#include "torture_plan.h"

namespace plurix::tool {

class ProcessPauser {
 public:
  using Clock = std::chrono::steady_clock;

  ProcessPauser(const NodeFleet& fleet, std::uint64_t seed) : fleet_(fleet), prng_(seed) { draw(); }

  /// Whoever is stopped goes on.
  ~ProcessPauser() { resume(); }
  ProcessPauser(const ProcessPauser&) = delete;
  ProcessPauser& operator=(const ProcessPauser&) = delete;

  /// Does what is due.
  void look() {
    if (Clock::now() < due_) return;
    if (stopped_) {
      resume();
      return draw();
    }
    ::kill(fleet_.nodes()[next_.node]->pid(), SIGSTOP);
    stopped_ = true;
    ++pauses_;
    due_ = Clock::now() + std::chrono::nanoseconds(next_.length.ns);
  }

  /// The last pause is over.
  void finish() noexcept { resume(); }

  std::uint64_t pauses() const noexcept { return pauses_; }

 private:
  void resume() noexcept {
    if (stopped_) ::kill(fleet_.nodes()[next_.node]->pid(), SIGCONT);
    stopped_ = false;
  }

  void draw() {
    next_ = draw_pause(prng_, fleet_.nodes().size());
    due_ = Clock::now() + std::chrono::nanoseconds(next_.after.ns);
  }

  const NodeFleet& fleet_;
  Prng prng_;
  Pause next_;
  bool stopped_ = false;
  Clock::time_point due_;
  std::uint64_t pauses_ = 0;
};

}  // namespace plurix::tool

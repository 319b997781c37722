// The simulator's models, driven by hand instead of by a program on a simulated machine.
#pragma once

#include <plurix/sim/machine.h>

#include <array>
#include <memory>

namespace plurix::testing {

/// Four machines on one network that loses nothing; whoever waits lets simulated time pass.
class SimNetwork {
 public:
  SimNetwork() {
    for (auto& machine : machines_) {
      machine = std::make_unique<sim::Machine>(scheduler_, network_, 1);
      // A program that computes for ever: what arrives stays in the inbox.
      machine->start([&machine] { machine->compute(milliseconds(1'000'000'000)); });
    }
  }

  sim::Machine& machine(std::size_t i) { return *machines_[i]; }
  Instant now() const { return scheduler_.now(); }

  /// Until something is in the inbox of machine `i`, or `until`.
  void wait(std::size_t i, Instant until) {
    scheduler_.at(until, [] {});
    while (network_.inbox(machines_[i]->port()).empty() && scheduler_.now() < until) {
      (void)scheduler_.advance();
    }
  }

 private:
  sim::Scheduler scheduler_;
  sim::Network network_{scheduler_, 7};
  std::array<std::unique_ptr<sim::Machine>, 4> machines_;
};

/// SimTransport whose `wait` is not its machine's program's.
class DrivenTransport : public sim::SimTransport {
 public:
  DrivenTransport(SimNetwork& network, std::size_t i)
      : SimTransport(network.machine(i)), network_(network), number_(i) {}

  void wait(Instant until) noexcept { network_.wait(number_, until); }

 private:
  SimNetwork& network_;
  std::size_t number_;
};
static_assert(Transport<DrivenTransport>);

}  // namespace plurix::testing

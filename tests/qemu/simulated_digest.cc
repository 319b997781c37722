// Prints the digest of the heap after the generated transactions, run on one simulated machine.
#include <plurix/commit/first_wins.h>
#include <plurix/node.h>
#include <plurix/sim/machine.h>

#include <cstdio>
#include <vector>

#include "support/generated.h"

using namespace plurix;

int main() {
  sim::Scheduler scheduler;
  sim::Network network(scheduler, 1);
  sim::Machine machine(scheduler, network, 1);
  sim::SoftwareFaultSource memory(machine, qemu_test::kGeneratedPages);
  sim::SimTransport net(machine);
  sim::SimClock clock(machine);
  NullTraceSink trace;
  NodeConfig config;
  config.core.geometry.pages = qemu_test::kGeneratedPages;
  std::vector<std::byte> storage(ProtocolCore::storage_needed(config.core));
  Node<sim::SoftwareFaultSource, sim::SimTransport, FirstWins, sim::SimClock> node(
      config, memory, net, clock, trace, storage);
  machine.start([&] {
    node.found();
    qemu_test::run_generated(node);
  });
  while (!machine.done() && scheduler.advance()) {
  }
  std::printf("digest 0x%llx after commit time %llu\n",
              static_cast<unsigned long long>(qemu_test::digest_of(memory.frames())),
              static_cast<unsigned long long>(node.commit_time().value));
  return machine.done() ? 0 : 1;
}

// The generated transactions in a kernel; run_kernel.py compares the digest with the simulator's.
#include <gtest/gtest.h>
#include <plurix/commit/first_wins.h>

#include <plurix/baremetal/node.h>

#include "support/generated.h"
#include "support/test_machine.h"

namespace plurix::baremetal {
namespace {

using TestNode = BasicNode<NoNetwork, FirstWins>;

struct World {
  Machine& machine = qemu_test::machine();
  NodeConfig config{.core = {.geometry = {.pages = qemu_test::kGeneratedPages}}};
  PageTableFaultSource faults{machine.memory, config.core.geometry};
  InterruptSleep sleep{machine.clock, machine.alarm};
  NoNetwork net{sleep};
  NullTraceSink trace;
  TestNode node{machine, config, faults, net, trace};
};

TEST(Digest, OfTheHeapAfterGeneratedTransactions) {
  alignas(World) static constinit std::byte storage[sizeof(World)];
  auto& world = *std::construct_at(reinterpret_cast<World*>(storage));
  world.node.core().found();
  qemu_test::run_generated(world.node.core());
  world.machine.say((Text() << "digest ").hex(qemu_test::digest_of(world.faults.frames()))
                    << " after commit time " << world.node.core().commit_time().value << "\n");
}

}  // namespace
}  // namespace plurix::baremetal

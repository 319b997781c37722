// plurix-kernel: a node of a cluster on a bare x86-64 machine with an RTL8139. This file and those
// beside it are what every machine boots with; the rest of the kernel lives in the heap. README.md
// tells what it can be told.
#include <memory>

#include "resident/kernel_loader.h"

using plurix::baremetal::Machine;
using plurix::baremetal::Text;

namespace plurix::kernel {
namespace {

// In static memory, because the stack is for what runs on it.
template <class T, class... Arguments>
T& make_once(Arguments&&... arguments) noexcept {
  alignas(T) static constinit std::byte storage[sizeof(T)] = {};
  return *std::construct_at(reinterpret_cast<T*>(storage), std::forward<Arguments>(arguments)...);
}

[[noreturn]] void give_up(Machine& machine, std::string_view words) noexcept {
  machine.say(Text() << "{\"event\":\"failed\",\"code\":1,\"words\":\"" << words << "\"}\n");
  baremetal::stop_machine(baremetal::kStoppedBadly);
}

/// Runs the kernel from the heap to its end. True if all was well.
bool run_kernel(Parts& parts) noexcept {
  auto& resident = make_once<ResidentPart>(parts);
  auto& loader = make_once<KernelLoader>(parts, resident);
  StartState start{.incarnation = parts.incarnation, .member = parts.node().now()};
  const auto before = parts.node().protocol().core().counters.fetches;
  resident.note_start(start);
  const auto* kernel = loader.load(parts.node().now() + parts.patience());
  if (kernel == nullptr) give_up(parts.machine, loader.words().view());
  start = resident.start();
  start.kernel_entered = parts.node().now();
  start.kernel_requests = parts.node().protocol().core().counters.fetches - before;
  resident.note_start(start);
  return kernel->run(resident);
}

}  // namespace
}  // namespace plurix::kernel

void plurix_main(Machine& machine) noexcept {
  using namespace plurix::kernel;
  auto& parts = make_once<Parts>(machine);
  if (!parts.enter()) give_up(machine, "no node of the cluster let this machine in");
  plurix::baremetal::stop_machine(run_kernel(parts) ? plurix::baremetal::kStoppedWell
                                                    : plurix::baremetal::kStoppedBadly);
}

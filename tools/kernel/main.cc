// plurix-kernel: a node of a cluster on a bare x86-64 machine with an RTL8139. README.md tells what
// it can be told.
#include <memory>

#include "operator.h"

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

}  // namespace
}  // namespace plurix::kernel

void plurix_main(Machine& machine) noexcept {
  using namespace plurix::kernel;
  auto& parts = make_once<Parts>(machine);
  if (!parts.enter()) give_up(machine, "no node of the cluster let this machine in");
  auto& leader = make_once<Operator>(parts, machine.clock.now());
  const bool well =
      machine.boot.number("control", 0) != 0 ? leader.run_on_command() : leader.run_by_itself();
  plurix::baremetal::stop_machine(well ? plurix::baremetal::kStoppedWell
                                       : plurix::baremetal::kStoppedBadly);
}

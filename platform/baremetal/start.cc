// From the boot code to plurix_main: console first, so that whatever goes wrong can be said.
#include <plurix/baremetal/machine.h>

#include <memory>

namespace plurix::baremetal {
namespace {

alignas(Machine) constinit std::byte machine_storage[sizeof(Machine)] = {};

void write_to_console(void* console, std::string_view text) noexcept {
  static_cast<SerialPort*>(console)->write(text);
}

Machine& make_machine(const BootInfo& boot, SerialPort console) noexcept {
  return *std::construct_at(reinterpret_cast<Machine*>(machine_storage),
                            Machine{.boot = boot,
                                    .console = console,
                                    .memory = PhysicalMemory(boot),
                                    .clock = {},
                                    .alarm = {}});
}

}  // namespace
}  // namespace plurix::baremetal

void plurix_boot_entry(std::uint32_t magic, std::uint32_t info) noexcept {
  using namespace plurix::baremetal;
  SerialPort console(SerialPort::kFirst);
  console.start();
  set_panic_report({.write = write_to_console, .last_events = nullptr, .context = &console});
  start_interrupts();
  const auto boot = read_boot_info(magic, info);
  if (!boot) plurix::panic("neither multiboot nor PVH has loaded this kernel", __FILE__, __LINE__);
  auto& machine = make_machine(*boot, console);
  enable_interrupts();
  plurix_main(machine);
  stop_machine(kStoppedWell);
}

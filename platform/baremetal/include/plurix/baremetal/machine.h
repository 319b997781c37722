// Machine: what a kernel finds when its own code begins: everything that needs no policy.
//
//   extern "C" void plurix_main(plurix::baremetal::Machine& machine) { … }
//
// links with this library (cmake: plurix_add_kernel) to a file that QEMU, GRUB and others boot.
// A kernel with other wishes defines plurix_boot_entry itself and uses the parts it likes.
#pragma once

#include <plurix/baremetal/boot_info.h>
#include <plurix/baremetal/interrupts.h>
#include <plurix/baremetal/panic.h>
#include <plurix/baremetal/physical_memory.h>
#include <plurix/baremetal/serial_port.h>
#include <plurix/baremetal/text.h>
#include <plurix/baremetal/timer.h>

namespace plurix::baremetal {

struct Machine {
  BootInfo boot;
  SerialPort console;
  PhysicalMemory memory;
  TscClock clock;  ///< not yet running
  AlarmTimer alarm;

  void say(const Text& text) noexcept { console.write(text.view()); }
};

}  // namespace plurix::baremetal

extern "C" {

/// The kernel's own code. When it returns the machine stops, as kStoppedWell.
void plurix_main(plurix::baremetal::Machine& machine) noexcept;

/// Called by the boot code with a stack, 4 GiB of memory mapped to itself, and interrupts off.
[[noreturn]] void plurix_boot_entry(std::uint32_t magic, std::uint32_t info) noexcept;
}

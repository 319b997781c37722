// How this project starts a machine in QEMU, whatever runs in it and however it is wired: an old
// PC without KVM and without privileges, whose firmware is at the kernel within milliseconds.
#pragma once

#include <string>
#include <vector>

namespace plurix::tool {

inline constexpr const char* kQemu = "qemu-system-x86_64";

/// The machine's first serial port is our stdin and stdout; `words` are the kernel's command line.
inline std::vector<std::string> qemu_command_line(const std::string& kernel,
                                                  const std::string& words, int memory_mib) {
  return {kQemu,
          "-M",
          "pc",
          "-bios",
          "qboot.rom",
          "-accel",
          "tcg",
          "-m",
          std::to_string(memory_mib),
          "-nodefaults",
          "-display",
          "none",
          "-no-reboot",
          "-serial",
          "stdio",
          "-device",
          "isa-debug-exit,iobase=0xf4,iosize=4",
          "-kernel",
          kernel,
          "-append",
          words};
}

}  // namespace plurix::tool

// A QEMU machine as a node: how it is started, and what is missing when it cannot be. The kernel in
// it is led by lines on its first serial port as a `plurix node` is on its stdin, and writes its
// history to the second one (tools/kernel/README.md).
#pragma once

#include <cstdint>
#include <string>

#include "child_node.h"

namespace plurix::tool {

struct QemuMachine {
  std::string kernel;        ///< the ELF file that the machine boots
  bool brings_heap = false;  ///< also KERNEL.heap, for the heap of a cluster that has no kernel yet
  std::string hub;           ///< path of the hub's socket
  std::size_t number = 0;    ///< fixes its MAC address
  std::string history_file;  ///< what its second serial port writes
  std::string memory_file;   ///< holds its memory, also when it is gone; empty: none does
  std::string words;         ///< the kernel's command line

  Program program() const;
};

/// The kernel that was built with this program, beside it.
std::string default_kernel();

/// Empty, or what is missing and how to get it.
std::string why_no_qemu(const std::string& kernel);

}  // namespace plurix::tool

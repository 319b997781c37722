// PhysicalMemory: RAM, handed out once and never taken back: frames of the heap, page tables,
// tables of the protocol, rings of the network card. There is no other dynamic memory in a kernel.
#pragma once

#include <plurix/baremetal/boot_info.h>

#include <cstddef>
#include <span>

namespace plurix::baremetal {

class PhysicalMemory {
 public:
  /// Takes the largest range of usable RAM below 4 GiB (which is mapped to itself) that neither the
  /// kernel nor a module of the boot loader occupies.
  explicit PhysicalMemory(const BootInfo& boot) noexcept;

  /// `bytes` zeroed bytes at a multiple of `alignment` (a power of two). Panics if there are none
  /// left, naming `purpose`. The physical address is the virtual one.
  std::span<std::byte> take(std::size_t bytes, std::size_t alignment, const char* purpose) noexcept;

  std::size_t bytes_left() const noexcept { return static_cast<std::size_t>(free_.bytes()); }

 private:
  MemoryRange free_;
};

}  // namespace plurix::baremetal

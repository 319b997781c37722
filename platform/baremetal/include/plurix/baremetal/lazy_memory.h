// LazyMemory: zeroed memory that takes a page of RAM when it is touched for the first time, so that
// a large heap costs a machine no more than what is used of it, neither memory nor time to boot.
#pragma once

#include <plurix/baremetal/page_faults.h>
#include <plurix/baremetal/page_tables.h>

#include <cstddef>
#include <span>

namespace plurix::baremetal {

class LazyMemory {
 public:
  /// Stands at `base` (2 MiB aligned, nothing there) from now on, for good. `memory` outlives it; a
  /// touch that finds it empty is a panic.
  LazyMemory(PhysicalMemory& memory, std::uint64_t base, std::size_t bytes) noexcept;
  LazyMemory(const LazyMemory&) = delete;
  LazyMemory& operator=(const LazyMemory&) = delete;

  std::span<std::byte> bytes() const noexcept {
    return {reinterpret_cast<std::byte*>(window_.base()), bytes_};
  }

  /// The RAM behind page `page`, taken if need be.
  std::uint64_t physical_address(std::uint32_t page) noexcept;

  /// Pages taken so far.
  std::uint32_t pages_taken() const noexcept { return taken_; }

 private:
  static void on_page_fault(void* self, InterruptFrame& frame, std::uint64_t address) noexcept;

  PhysicalMemory& memory_;
  PageWindow window_;
  std::size_t bytes_;
  std::uint32_t taken_ = 0;
};

}  // namespace plurix::baremetal

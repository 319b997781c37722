// The processor's page tables: a window of 4 KiB pages over physical memory.
// Source: Intel SDM volume 3, section 4.5 (4-level paging).
#pragma once

#include <plurix/baremetal/physical_memory.h>

#include <cstdint>

namespace plurix::baremetal {

/// The address whose access made the processor trap last (CR2).
inline std::uint64_t faulting_address() noexcept {
  std::uint64_t address = 0;
  asm volatile("mov %%cr2, %0" : "=r"(address));
  return address;
}

/// Bits of a page table entry (table 4-19) and of a page fault's error code (figure 4-12).
struct PageEntry {
  static constexpr std::uint64_t kPresent = 1U << 0;
  static constexpr std::uint64_t kWritable = 1U << 1;
  static constexpr std::uint64_t kAccessed = 1U << 5;
  static constexpr std::uint64_t kDirty = 1U << 6;
  static constexpr std::uint64_t kNoExecute = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kAddress = 0x000f'ffff'ffff'f000;
};
struct PageFaultError {
  static constexpr std::uint64_t kPresent = 1U << 0;  ///< the entry was there: a right is missing
  static constexpr std::uint64_t kWrite = 1U << 1;
  static constexpr std::uint64_t kReserved = 1U << 3;
  static constexpr std::uint64_t kFetch = 1U << 4;  ///< of an instruction
};

/// Physical address of the table that every walk begins with (CR3).
inline std::uint64_t page_table_root() noexcept {
  std::uint64_t root = 0;
  asm volatile("mov %%cr3, %0" : "=r"(root));
  return root & PageEntry::kAddress;
}

/// A range of virtual pages and their entries, one behind the other.
class PageWindow {
 public:
  /// Maps nothing yet. `base` is 2 MiB aligned and not mapped. Takes the tables from `memory`.
  PageWindow(PhysicalMemory& memory, std::uint64_t base, std::uint32_t pages) noexcept;

  /// All of `entries()[i]` belongs to page `i`. After a change that takes a right or a bit away,
  /// `forget`.
  std::span<volatile std::uint64_t> entries() const noexcept { return entries_; }

  /// Makes the processor read the entries of these pages again.
  void forget(std::uint32_t first, std::uint32_t count) const noexcept;

  bool contains(std::uint64_t address) const noexcept {
    return address >= base_ && address - base_ < entries_.size() * 4096;
  }
  std::uint64_t base() const noexcept { return base_; }

 private:
  std::uint64_t base_;
  std::span<volatile std::uint64_t> entries_;
};

}  // namespace plurix::baremetal

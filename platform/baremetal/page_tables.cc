#include <plurix/base/assert.h>

#include <plurix/baremetal/page_tables.h>

namespace plurix::baremetal {
namespace {

constexpr std::size_t kTableBytes = 4096;
constexpr std::uint32_t kEntries = 512;
constexpr std::uint64_t kTableSpan = std::uint64_t{kEntries} << 12;
constexpr std::uint64_t kInnerRights = PageEntry::kPresent | PageEntry::kWritable;

/// Above so many pages it is cheaper to forget everything than page by page.
constexpr std::uint32_t kForgetAllFrom = 32;

std::uint64_t* root_table() noexcept { return reinterpret_cast<std::uint64_t*>(page_table_root()); }

void forget_everything() noexcept {
  std::uint64_t root = 0;
  asm volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(root) : : "memory");
}

std::uint64_t* table_below(std::uint64_t& entry, PhysicalMemory& memory) noexcept {
  if ((entry & PageEntry::kPresent) == 0) {
    entry = reinterpret_cast<std::uint64_t>(
                memory.take(kTableBytes, kTableBytes, "no memory for page tables").data()) |
            kInnerRights;
  }
  return reinterpret_cast<std::uint64_t*>(entry & PageEntry::kAddress);
}

constexpr std::size_t index_at(std::uint64_t address, unsigned level) noexcept {
  return (address >> (12 + 9 * level)) % kEntries;
}

void hang_in(std::uint64_t address, std::uint64_t table, PhysicalMemory& memory) noexcept {
  auto* directories = table_below(root_table()[index_at(address, 3)], memory);
  auto* directory = table_below(directories[index_at(address, 2)], memory);
  auto& entry = directory[index_at(address, 1)];
  PLURIX_ASSERT((entry & PageEntry::kPresent) == 0);
  entry = table | kInnerRights;
}

}  // namespace

PageWindow::PageWindow(PhysicalMemory& memory, std::uint64_t base, std::uint32_t pages) noexcept
    : base_(base) {
  PLURIX_ASSERT(base % kTableSpan == 0);
  const auto tables = (pages + kEntries - 1) / kEntries;
  const auto room = memory.take(tables * kTableBytes, kTableBytes, "no memory for page tables");
  for (std::uint32_t i = 0; i < tables; ++i) {
    hang_in(base + i * kTableSpan, reinterpret_cast<std::uint64_t>(room.data()) + i * kTableBytes,
            memory);
  }
  entries_ = {reinterpret_cast<volatile std::uint64_t*>(room.data()), pages};
}

void PageWindow::forget(std::uint32_t first, std::uint32_t count) const noexcept {
  if (count >= kForgetAllFrom) return forget_everything();
  for (std::uint32_t i = 0; i < count; ++i) {
    asm volatile("invlpg (%0)" : : "r"(base_ + (std::uint64_t{first} + i) * 4096) : "memory");
  }
}

}  // namespace plurix::baremetal

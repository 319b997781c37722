#include <plurix/base/page.h>

#include <plurix/baremetal/lazy_memory.h>

namespace plurix::baremetal {

LazyMemory::LazyMemory(PhysicalMemory& memory, std::uint64_t base, std::size_t bytes) noexcept
    : memory_(memory), window_(memory, base, pages_spanned(0, bytes)), bytes_(bytes) {
  own_page_faults(
      {on_page_fault, this, base, base + std::uint64_t{pages_spanned(0, bytes)} * kPageSize});
}

std::uint64_t LazyMemory::physical_address(std::uint32_t page) noexcept {
  auto& entry = window_.entries()[page];
  const auto bits = entry;
  if ((bits & PageEntry::kPresent) != 0) return bits & PageEntry::kAddress;
  const auto ram = memory_.take(kPageSize, kPageSize, "no memory left for a page");
  const auto address = reinterpret_cast<std::uint64_t>(ram.data());
  entry = address | PageEntry::kPresent | PageEntry::kWritable | PageEntry::kNoExecute;
  ++taken_;
  return address;
}

// An absent entry is in no buffer of the processor, so nothing has to be forgotten.
void LazyMemory::on_page_fault(void* self, InterruptFrame&, std::uint64_t address) noexcept {
  auto& memory = *static_cast<LazyMemory*>(self);
  (void)memory.physical_address(page_of(address - memory.window_.base()));
}

}  // namespace plurix::baremetal

#include <plurix/baremetal/page_table_fault_source.h>
#include <plurix/baremetal/panic.h>
#include <plurix/baremetal/port_io.h>

namespace plurix::baremetal {
namespace {

constexpr std::uint64_t bits_for(Rights rights) noexcept {
  switch (rights) {
    case Rights::kNone:
      return 0;
    case Rights::kRead:
      return PageEntry::kPresent;
    case Rights::kWrite:
      return PageEntry::kPresent | PageEntry::kWritable;
  }
  return 0;
}

}  // namespace

PageTableFaultSource::PageTableFaultSource(PhysicalMemory& memory,
                                           const HeapGeometry& geometry) noexcept
    : window_(memory, geometry.base, geometry.pages),
      frames_(memory, geometry.base + kFramesBehindView, geometry.bytes()) {
  own_page_faults({on_page_fault, this, geometry.base, geometry.base + geometry.bytes()});
}

// An entry that was absent is in no buffer of the processor, so only one that was present has to be
// made known.
void PageTableFaultSource::protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
  const auto entries = window_.entries();
  const auto bits = bits_for(rights);
  bool was_present = false;
  for (auto page = first; page < first + count; ++page) {
    was_present = was_present || (entries[page] & PageEntry::kPresent) != 0;
    entries[page] = bits == 0 ? 0 : frames_.physical_address(page) | bits;
  }
  if (was_present) window_.forget(first, count);
}

// One reload for all: an entry whose bits are cleared while the processor still holds it is not
// marked again (Intel SDM volume 3, section 4.10.2.4).
void PageTableFaultSource::begin_watching() noexcept {
  const auto entries = window_.entries();
  for (auto& entry : entries) {
    const auto bits = entry;
    if ((bits & (PageEntry::kAccessed | PageEntry::kDirty)) != 0) {
      entry = bits & ~(PageEntry::kAccessed | PageEntry::kDirty);
    }
  }
  window_.forget(0, static_cast<std::uint32_t>(entries.size()));
}

// The node may wait for a page here, so interrupts go on if they were on.
void PageTableFaultSource::on_page_fault(void* self, InterruptFrame& frame,
                                         std::uint64_t address) noexcept {
  auto& source = *static_cast<PageTableFaultSource*>(self);
  if (source.handler_.call == nullptr) panic_at("a page fault before there is a node", frame);
  if (frame.interrupts_were_on()) enable_interrupts();
  const auto page = page_of(address - source.window_.base());
  const auto access = (frame.error & PageFaultError::kWrite) != 0 ? Access::kWrite : Access::kRead;
  const auto verdict = source.handler_.call(source.handler_.context, page, access);
  if (verdict == FaultVerdict::kRestart) {
    enable_interrupts();
    source.restart_.call(source.restart_.context);
    panic_at("the restart hook returned", frame);
  }
  disable_interrupts();
}

}  // namespace plurix::baremetal

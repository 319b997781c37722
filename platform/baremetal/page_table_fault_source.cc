#include <plurix/base/assert.h>

#include <plurix/baremetal/page_table_fault_source.h>
#include <plurix/baremetal/panic.h>
#include <plurix/baremetal/port_io.h>

#include <algorithm>
#include <cstring>

namespace plurix::baremetal {
namespace {

constexpr std::uint64_t bits_for(Rights rights) noexcept {
  switch (rights) {
    case Rights::kNone:
      return 0;
    case Rights::kRead:
      return PageEntry::kPresent | PageEntry::kNoExecute;
    case Rights::kWrite:
      return PageEntry::kPresent | PageEntry::kWritable | PageEntry::kNoExecute;
  }
  return 0;
}

}  // namespace

PageTableFaultSource::PageTableFaultSource(PhysicalMemory& memory,
                                           const HeapGeometry& geometry) noexcept
    : memory_(memory),
      window_(memory, geometry.base, geometry.pages),
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
    if (code_at(page) != nullptr) continue;
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

void PageTableFaultSource::hold_code(const CodePages& code) noexcept {
  PLURIX_ASSERT(code.count > 0 && code.first + code.count <= window_.entries().size());
  PLURIX_ASSERT(code_at(code.first) == nullptr && code_at(code.first + code.count - 1) == nullptr);
  const auto copies =
      memory_.take(std::size_t{code.count} * kPageSize, kPageSize, "no memory for code");
  close(code);
  PLURIX_ASSERT(code_.push({code, copies.data()}));
  span_code();
}

// The protocol thinks that it has opened none of them, or some; a fault too many does no harm.
void PageTableFaultSource::release_code(PageIndex first) noexcept {
  for (std::size_t i = 0; i < code_.size(); ++i) {
    if (code_[i].pages.first != first) continue;
    close(code_[i].pages);
    code_.erase(i);
    return span_code();
  }
}

bool PageTableFaultSource::holds_code(PageIndex first) const noexcept {
  const auto* held = code_at(first);
  return held != nullptr && held->pages.first == first;
}

const PageTableFaultSource::HeldCode* PageTableFaultSource::code_at(PageIndex page) const noexcept {
  if (!code_span_.contain(page)) [[likely]]
    return nullptr;
  for (const auto& held : code_) {
    if (held.pages.contain(page)) return &held;
  }
  return nullptr;
}

void PageTableFaultSource::close(const CodePages& code) noexcept {
  for (auto page = code.first; page < code.first + code.count; ++page) window_.entries()[page] = 0;
  window_.forget(code.first, code.count);
}

void PageTableFaultSource::span_code() noexcept {
  code_span_ = {};
  for (const auto& held : code_) {
    const auto end = held.pages.first + held.pages.count;
    if (code_span_.count == 0) code_span_ = {held.pages.first, held.pages.count};
    const auto last = std::max(end, code_span_.first + code_span_.count);
    code_span_.first = std::min(code_span_.first, held.pages.first);
    code_span_.count = last - code_span_.first;
  }
}

void PageTableFaultSource::open_code(PageIndex page) noexcept {
  open_code(page, frames() + std::size_t{page} * kPageSize);
}

void PageTableFaultSource::open_code(PageIndex page, const std::byte* contents) noexcept {
  const auto* held = code_at(page);
  PLURIX_ASSERT(held != nullptr);
  auto& entry = window_.entries()[page];
  if (const auto bits = entry; (bits & PageEntry::kPresent) != 0) return;
  auto* const place = held->memory + std::size_t{page - held->pages.first} * kPageSize;
  std::memcpy(place, contents, kPageSize);
  entry = reinterpret_cast<std::uint64_t>(place) | PageEntry::kPresent;
}

void PageTableFaultSource::on_code_fault(InterruptFrame& frame, PageIndex page,
                                         const CodePages& code) noexcept {
  if ((frame.error & PageFaultError::kPresent) != 0) panic_at("a write into code", frame);
  if (frame.interrupts_were_on()) enable_interrupts();
  code.bring(code.context, page);
  disable_interrupts();
  open_code(page);
}

// The node may wait for a page here, so interrupts go on if they were on.
void PageTableFaultSource::on_page_fault(void* self, InterruptFrame& frame,
                                         std::uint64_t address) noexcept {
  auto& source = *static_cast<PageTableFaultSource*>(self);
  if (source.handler_.call == nullptr) panic_at("a page fault before there is a node", frame);
  const auto page = page_of(address - source.window_.base());
  if (const auto* held = source.code_at(page)) {
    return source.on_code_fault(frame, page, held->pages);
  }
  if ((frame.error & PageFaultError::kFetch) != 0) panic_at("data is executed", frame);
  if (frame.interrupts_were_on()) enable_interrupts();
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

// PageTableFaultSource: the processor's page tables as the source of faults. Frames and view are
// two windows on the same RAM: in that of the frames everything is allowed, in that of the view the
// entries hold the rights.
//
// What the processor notes in passing is exact and costs nothing: `each_accessed` tells which pages
// were touched through the view since `begin_watching`.
#pragma once

#include <plurix/base/page.h>
#include <plurix/concepts/fault_source.h>

#include <plurix/baremetal/interrupts.h>
#include <plurix/baremetal/lazy_memory.h>
#include <plurix/baremetal/page_tables.h>

namespace plurix::baremetal {

/// Leaves the body: restores a saved context, never returns. Called with interrupts on.
struct RestartHook {
  void (*call)(void* context) noexcept = nullptr;
  void* context = nullptr;
};

class PageTableFaultSource {
 public:
  /// Where the frames stand: one slot of the top table behind the heap's.
  static constexpr std::uint64_t kFramesBehindView = std::uint64_t{1} << 39;

  /// Takes frames and tables from `memory`. The heap stands at `geometry.base`.
  PageTableFaultSource(PhysicalMemory& memory, const HeapGeometry& geometry) noexcept;
  PageTableFaultSource(const PageTableFaultSource&) = delete;
  PageTableFaultSource& operator=(const PageTableFaultSource&) = delete;

  std::byte* view() const noexcept { return reinterpret_cast<std::byte*>(window_.base()); }
  std::byte* frames() const noexcept { return frames_.bytes().data(); }
  void protect(PageIndex first, std::uint32_t count, Rights rights) noexcept;
  void on_fault(FaultHandler handler) noexcept { handler_ = handler; }
  void on_restart(RestartHook hook) noexcept { restart_ = hook; }
  bool traps() const noexcept { return true; }

  /// RAM in use for frames, in pages.
  std::uint32_t frames_taken() const noexcept { return frames_.pages_taken(); }

  /// Forgets which pages were accessed and written, for all pages.
  void begin_watching() noexcept;

  /// Whether the page was read or written, or written, through the view since `begin_watching`, or
  /// since it was last made accessible.
  bool accessed(PageIndex page) const noexcept { return has(page, PageEntry::kAccessed); }
  bool written(PageIndex page) const noexcept { return has(page, PageEntry::kDirty); }

 private:
  bool has(PageIndex page, std::uint64_t bit) const noexcept {
    return (window_.entries()[page] & bit) != 0;
  }
  static void on_page_fault(void* self, InterruptFrame& frame, std::uint64_t address) noexcept;

  PageWindow window_;
  LazyMemory frames_;
  FaultHandler handler_;
  RestartHook restart_;
};
static_assert(FaultSource<PageTableFaultSource>);

}  // namespace plurix::baremetal

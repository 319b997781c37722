// PageTableFaultSource: the processor's page tables as the source of faults. Frames and view are
// two windows on the same RAM: in that of the frames everything is allowed, in that of the view the
// entries hold the rights.
//
// What the processor notes in passing is exact and costs nothing: `each_accessed` tells which pages
// were touched through the view since `begin_watching`.
#pragma once

#include <plurix/base/bounded_vector.h>
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

/// Pages of the heap that hold code: nobody writes them any more.
struct CodePages {
  PageIndex first = 0;
  std::uint32_t count = 0;
  /// Makes the page's contents stand in the frames. Fault context, interrupts as they were.
  void (*bring)(void* context, PageIndex page) noexcept = nullptr;
  void* context = nullptr;

  bool contain(PageIndex page) const noexcept { return page - first < count; }
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

  static constexpr std::size_t kMostCode = 4;

  /// From now on these pages of the view are code. At most kMostCode times. What runs there must
  /// not be taken away from one instruction to the next, not even when the cluster goes back to an
  /// older state, so each is copied to RAM of this machine when it is opened, and stays as it is
  /// then: executable, never written. The other pages of the heap are never executed.
  void hold_code(const CodePages& code) noexcept;

  /// Takes that back for the code that begins there: its pages are like the others again.
  void release_code(PageIndex first) noexcept;

  /// Whether code that begins there is held.
  bool holds_code(PageIndex first) const noexcept;

  /// Opens a page of code: what the frames hold, or other contents.
  void open_code(PageIndex page) noexcept;
  void open_code(PageIndex page, const std::byte* contents) noexcept;

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
  void on_code_fault(InterruptFrame& frame, PageIndex page, const CodePages& code) noexcept;
  void close(const CodePages& code) noexcept;
  void span_code() noexcept;

  PhysicalMemory& memory_;
  PageWindow window_;
  LazyMemory frames_;
  FaultHandler handler_;
  RestartHook restart_;

  struct HeldCode {
    CodePages pages;
    std::byte* memory;  ///< the copies
  };
  const HeldCode* code_at(PageIndex page) const noexcept;

  BoundedVector<HeldCode, kMostCode> code_;
  CodePages code_span_;  ///< what all of it lies in, so that most pages are told apart at once
};
static_assert(FaultSource<PageTableFaultSource>);

}  // namespace plurix::baremetal

// SigsegvFaultSource: rights by mprotect, faults by SIGSEGV. Works on every Linux; a trap costs
// about 4 µs and a page changed by itself splits a kernel mapping.
//
// The kernel allows vm.max_map_count mappings. When they are used up the whole view is closed in
// one call, which makes it one mapping again, and each page is opened anew when it is next touched;
// the node never hears of those faults.
#pragma once

#include <plurix/concepts/fault_source.h>
#include <plurix/posix/fault_reporter.h>
#include <plurix/posix/fault_signals.h>
#include <plurix/posix/page_rights.h>
#include <plurix/posix/shared_region.h>

#include <cstdint>

namespace plurix::posix {

/// One application thread; all calls come from it, its signal handlers included. The region must
/// outlive the source.
class SigsegvFaultSource {
 public:
  /// Throws EnvironmentError (see TrapRange; or the region has no protected view).
  explicit SigsegvFaultSource(SharedRegion& region);
  ~SigsegvFaultSource();
  SigsegvFaultSource(const SigsegvFaultSource&) = delete;
  SigsegvFaultSource& operator=(const SigsegvFaultSource&) = delete;

  std::byte* view() const noexcept { return view_; }
  std::byte* frames() const noexcept { return frames_; }
  bool traps() const noexcept { return true; }
  Rights rights(PageIndex page) const noexcept { return rights_.wanted(page); }

  /// Pages that have these rights already cost nothing; the others take one mprotect together.
  /// Panics when the kernel refuses even after a collapse (it then has no memory at all).
  void protect(PageIndex first, std::uint32_t count, Rights rights) noexcept;

  /// Pages beside each other take one mprotect together.
  void close_later(PageIndex first, std::uint32_t count) noexcept;
  void close_now() noexcept {
    if (rights_.anything_waits()) close_what_waits();
  }

  void on_fault(FaultHandler handler) noexcept { reporter_.on_fault(handler); }
  void on_restart(RestartHook hook) noexcept { reporter_.on_restart(hook); }

  /// How often the view was closed because the kernel had no mapping left.
  std::uint64_t collapses() const noexcept { return collapses_; }

 private:
  static bool trap(void* self, std::byte* address, Access access, TrapSignal signal) noexcept;
  bool try_mprotect(PageIndex first, std::uint32_t count, Rights rights) noexcept;
  void apply(PageIndex first, std::uint32_t count, Rights rights) noexcept;
  void close_what_waits() noexcept;
  void collapse() noexcept;
  void reopen(PageIndex page) noexcept;

  std::byte* view_;
  std::byte* frames_;
  PageRights rights_;
  FaultReporter reporter_;
  std::uint64_t collapses_ = 0;
  TrapRange range_;
};
static_assert(FaultSource<SigsegvFaultSource> && ClosesTogether<SigsegvFaultSource>);

}  // namespace plurix::posix

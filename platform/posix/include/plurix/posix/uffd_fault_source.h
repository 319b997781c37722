// UffdFaultSource: rights by userfaultfd, faults by SIGBUS. A page is opened by an ioctl that only
// changes its page table entry: no kernel mapping is ever split, and opening needs no TLB flush.
//
//   kNone   no entry       (MADV_DONTNEED on the view; the frame stays in the page cache)
//   kRead   write-protected entry (UFFDIO_CONTINUE with WP, or UFFDIO_WRITEPROTECT)
//   kWrite  plain entry
//
// Source: Linux Documentation/admin-guide/mm/userfaultfd.rst; WP in UFFDIO_CONTINUE needs 6.4.
#pragma once

#include <plurix/concepts/fault_source.h>
#include <plurix/posix/fault_reporter.h>
#include <plurix/posix/fault_signals.h>
#include <plurix/posix/page_rights.h>
#include <plurix/posix/shared_region.h>

#include <sys/uio.h>
#include <cstdint>
#include <span>
#include <string>

namespace plurix::posix {

/// One application thread; all calls come from it, its signal handlers included. The region must
/// outlive the source.
class UffdFaultSource {
 public:
  /// Throws EnvironmentError when the kernel lacks a feature or forbids userfaultfd, or the region
  /// has no protected view.
  explicit UffdFaultSource(SharedRegion& region);
  ~UffdFaultSource();
  UffdFaultSource(const UffdFaultSource&) = delete;
  UffdFaultSource& operator=(const UffdFaultSource&) = delete;

  /// Empty when this process may use every feature needed, else the sentence why not. Tries them
  /// on a page of its own.
  static std::string why_unavailable();

  std::byte* view() const noexcept { return view_; }
  std::byte* frames() const noexcept { return frames_; }
  bool traps() const noexcept { return true; }
  Rights rights(PageIndex page) const noexcept { return rights_.wanted(page); }

  /// Pages that have these rights already cost nothing; the others take one call for those that are
  /// open and one for each run of closed ones.
  void protect(PageIndex first, std::uint32_t count, Rights rights) noexcept;

  /// All that waits is closed by one call where the kernel can (Linux 6.13, process_madvise on
  /// oneself), so that other processors are told once. Elsewhere pages beside each other share one.
  void close_later(PageIndex first, std::uint32_t count) noexcept;
  void close_now() noexcept {
    if (rights_.anything_waits()) close_what_waits();
  }

  void on_fault(FaultHandler handler) noexcept { reporter_.on_fault(handler); }
  void on_restart(RestartHook hook) noexcept { reporter_.on_restart(hook); }

 private:
  static bool trap(void* self, std::byte* address, Access access, TrapSignal signal) noexcept;
  void close_what_waits() noexcept;
  void close_runs(std::span<const iovec> runs) noexcept;
  iovec memory_of(PageRights::Run run) const noexcept;
  void change_open_pages(PageIndex first, std::uint32_t count, Rights rights) noexcept;
  void write_protect(PageIndex first, std::uint32_t count, Rights rights) noexcept;
  void open_closed_pages(PageIndex first, std::uint32_t count, Rights rights) noexcept;
  void open_run(PageIndex first, std::uint32_t count, Rights rights) noexcept;
  void touch_frames(PageIndex first, std::uint32_t count) const noexcept;

  std::byte* view_;
  std::byte* frames_;
  int fd_;
  int self_;  ///< this process, for process_madvise; -1 where it does not help
  PageRights rights_;
  FaultReporter reporter_;
  TrapRange range_;
};
static_assert(FaultSource<UffdFaultSource> && ClosesTogether<UffdFaultSource>);

}  // namespace plurix::posix

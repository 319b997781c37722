// SoftwareFaultSource: rights kept in a table and asked before each access. Nothing traps, so it
// runs everywhere, many in one process.
#pragma once

#include <plurix/concepts/fault_source.h>
#include <plurix/posix/fault_reporter.h>
#include <plurix/posix/shared_region.h>

#include <cstdint>
#include <vector>

namespace plurix::posix {

/// One application thread. The region must outlive the source; either kind will do (a protected
/// view is left closed and the frames serve as view).
class SoftwareFaultSource {
 public:
  explicit SoftwareFaultSource(SharedRegion& region)
      : frames_(region.frames()), rights_(region.pages(), Rights::kNone) {}

  std::byte* view() const noexcept { return frames_; }
  std::byte* frames() const noexcept { return frames_; }
  bool traps() const noexcept { return false; }
  Rights rights(PageIndex page) const noexcept { return rights_[page]; }

  void protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
    for (std::uint32_t i = 0; i < count; ++i) rights_[first + i] = rights;
  }

  void on_fault(FaultHandler handler) noexcept { reporter_.on_fault(handler); }
  void on_restart(RestartHook hook) noexcept { reporter_.on_restart(hook); }

  /// To be called before each access: reports it until the rights allow it, as a trap would.
  void check(PageIndex page, Access access) noexcept {
    while (!allows(rights_[page], access)) reporter_.report(page, access);
  }

 private:
  std::byte* frames_;
  std::vector<Rights> rights_;
  FaultReporter reporter_;
};
static_assert(FaultSource<SoftwareFaultSource>);

}  // namespace plurix::posix

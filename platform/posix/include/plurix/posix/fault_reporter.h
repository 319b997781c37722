// FaultReporter: hands a fault to the node and carries out its verdict.
#pragma once

#include <plurix/base/assert.h>
#include <plurix/concepts/fault_source.h>

namespace plurix::posix {

/// Called in signal context after the verdict kRestart; restores a saved context, never returns.
struct RestartHook {
  void (*call)(void* context) noexcept = nullptr;
  void* context = nullptr;
};

/// Signal context: neither locks nor allocates.
class FaultReporter {
 public:
  void on_fault(FaultHandler handler) noexcept { handler_ = handler; }
  void on_restart(RestartHook hook) noexcept { restart_ = hook; }

  /// Returns when the access shall be repeated.
  void report(PageIndex page, Access access) const noexcept {
    PLURIX_ASSERT(handler_.call != nullptr);
    if (handler_.call(handler_.context, page, access) == FaultVerdict::kResume) return;
    PLURIX_ASSERT(restart_.call != nullptr);
    restart_.call(restart_.context);
    panic("the restart hook returned", __FILE__, __LINE__);
  }

 private:
  FaultHandler handler_;
  RestartHook restart_;
};

/// Whether `rights` allow `access`.
constexpr bool allows(Rights rights, Access access) noexcept {
  return access == Access::kRead ? rights != Rights::kNone : rights == Rights::kWrite;
}

}  // namespace plurix::posix

// The process's SIGSEGV and SIGBUS, shared out by address. The handlers are installed with the
// first registered range and taken away with the last; a fault outside every range goes to whoever
// had the signal before, as if this file did not exist.
//
// The handlers run with nothing blocked (SA_NODEFER, empty mask) on the alternate stack, so a trap
// handler may leave by restoring a saved context: no signal mask has to be put back.
#pragma once

#include <plurix/base/types.h>

#include <cstddef>
#include <cstdint>

namespace plurix::posix {

/// Which signal told of the access: a source answers for one of them only, so that a real bus error
/// (no memory for a page) is not mistaken for a missing right.
enum class TrapSignal : std::uint8_t { kSegv, kBus };

/// Gets each trapped access of one address range, on the faulting thread, in signal context.
/// Returns true when the access may be repeated, false when it is not the owner's to answer (it is
/// then treated as foreign); it need not return at all.
struct TrapHandler {
  bool (*call)(void* context, std::byte* address, Access access,
               TrapSignal signal) noexcept = nullptr;
  void* context = nullptr;
};

/// One registered address range, for the lifetime of this object. Construct and destroy outside of
/// signal handlers; several threads may do so.
class TrapRange {
 public:
  static constexpr std::size_t kMaxRanges = 64;

  /// Throws EnvironmentError when kMaxRanges are in use or the signals cannot be taken.
  TrapRange(std::byte* begin, std::size_t bytes, TrapHandler handler);
  ~TrapRange();
  TrapRange(const TrapRange&) = delete;
  TrapRange& operator=(const TrapRange&) = delete;

 private:
  std::size_t slot_;
};

}  // namespace plurix::posix

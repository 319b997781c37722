// Ctrl-C and SIGTERM of a node: the first asks it to end, the second ends its waits too.
#pragma once

namespace plurix::tool {

/// One at a time. While it lives, `stop(context)` is called from the handler of the second signal.
class StopSignals {
 public:
  StopSignals(void (*stop)(void* context), void* context) noexcept;
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

/// A first signal has come.
bool stop_asked() noexcept;

}  // namespace plurix::tool

// StateSignal: SIGUSR2 makes a node say where it stands, also one that waits for ever.
#pragma once

namespace plurix::tool {

/// One at a time. While it lives, `report(context)` is called from the handler of SIGUSR2.
class StateSignal {
 public:
  StateSignal(void (*report)(void* context), void* context) noexcept;
  ~StateSignal();
  StateSignal(const StateSignal&) = delete;
  StateSignal& operator=(const StateSignal&) = delete;
};

}  // namespace plurix::tool

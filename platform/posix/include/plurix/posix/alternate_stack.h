// AlternateStack: the stack a thread's signal handlers run on. A fault may happen with little room
// left on the ordinary stack, and the protocol runs inside the handler.
#pragma once

#include <csignal>
#include <cstddef>

namespace plurix::posix {

/// Gives the constructing thread an alternate signal stack with a guard page below it; the
/// destructor, on the same thread, puts back what was there before.
class AlternateStack {
 public:
  static constexpr std::size_t kBytes = 128 * 1024;

  /// Throws EnvironmentError when there is no memory.
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  void* memory_;
  stack_t previous_ = {};
};

}  // namespace plurix::posix

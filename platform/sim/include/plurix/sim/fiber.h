// A function on a stack of its own that can stop in the middle and go on later: how the blocking
// programs of many simulated nodes share one thread.
#pragma once

#include <plurix/base/context.h>

#include <cstddef>
#include <exception>
#include <functional>

namespace plurix::sim {

class Fiber {
 public:
  static constexpr std::size_t kStackBytes = 256 * 1024;

  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs the body until it suspends or ends. Called from outside the fiber. An exception that
  /// leaves the body is thrown here.
  void resume();

  /// Called from inside: returns at the next resume.
  void suspend();

  bool done() const noexcept { return done_; }

 private:
  static void enter();

  std::function<void()> body_;
  std::byte* stack_ = nullptr;
  Context inside_;
  Context outside_;
  std::exception_ptr error_;
  bool done_ = false;
  // AddressSanitizer's, when it is there.
  [[maybe_unused]] void* fake_stack_inside_ = nullptr;
  [[maybe_unused]] void* fake_stack_outside_ = nullptr;
  [[maybe_unused]] const void* outside_bottom_ = nullptr;
  [[maybe_unused]] std::size_t outside_size_ = 0;
};

}  // namespace plurix::sim

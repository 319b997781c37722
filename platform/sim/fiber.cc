#include <plurix/base/assert.h>
#include <plurix/heap/current.h>
#include <plurix/sim/fiber.h>

#include <cxxabi.h>
#include <exception>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define PLURIX_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PLURIX_ASAN 1
#endif
#endif

#if defined(PLURIX_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

namespace plurix::sim {
namespace {

// The fiber being entered for the first time; read once by its first instruction.
thread_local Fiber* entering = nullptr;

/// The exceptions being handled belong to the thread in the C++ ABI, and to the fiber in truth: a
/// body may stop inside a catch block while another fiber throws.
struct ExceptionState {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

ExceptionState& thread_exceptions() {
  return *reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
}

}  // namespace

Fiber::Fiber(std::function<void()> body)
    : body_(std::move(body)),
      stack_(static_cast<std::byte*>(::operator new(kStackBytes, std::align_val_t{64}))) {
  // As if `enter` had been called: the stack pointer is 8 below a multiple of 16.
  auto top = reinterpret_cast<std::uint64_t>(stack_ + kStackBytes) - 64;
  inside_.registers[6] = top - 8;
  inside_.registers[7] = reinterpret_cast<std::uint64_t>(&Fiber::enter);
}

Fiber::~Fiber() { ::operator delete(stack_, std::align_val_t{64}); }

void Fiber::enter() {
  auto* self = std::exchange(entering, nullptr);
#if defined(PLURIX_ASAN)
  __sanitizer_finish_switch_fiber(self->fake_stack_inside_, &self->outside_bottom_,
                                  &self->outside_size_);
#endif
  try {
    self->body_();
  } catch (...) {
    self->error_ = std::current_exception();
  }
  self->done_ = true;
#if defined(PLURIX_ASAN)
  __sanitizer_start_switch_fiber(nullptr, self->outside_bottom_, self->outside_size_);
#endif
  plurix_switch_context(&self->inside_, &self->outside_);
  panic("a fiber that has ended was resumed", __FILE__, __LINE__);
}

void Fiber::resume() {
  PLURIX_ASSERT(!done_);
  entering = this;
#if defined(PLURIX_ASAN)
  __sanitizer_start_switch_fiber(&fake_stack_outside_, stack_, kStackBytes);
#endif
  plurix_switch_context(&outside_, &inside_);
#if defined(PLURIX_ASAN)
  __sanitizer_finish_switch_fiber(fake_stack_outside_, nullptr, nullptr);
#endif
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Fiber::suspend() {
  const auto mine = std::exchange(thread_exceptions(), {});
  // So does the running transaction, which belongs to the thread only where a thread is one node.
  auto* const transaction = std::exchange(detail::current_transaction, nullptr);
#if defined(PLURIX_ASAN)
  __sanitizer_start_switch_fiber(&fake_stack_inside_, outside_bottom_, outside_size_);
#endif
  plurix_switch_context(&inside_, &outside_);
#if defined(PLURIX_ASAN)
  __sanitizer_finish_switch_fiber(fake_stack_inside_, &outside_bottom_, &outside_size_);
#endif
  thread_exceptions() = mine;
  detail::current_transaction = transaction;
}

}  // namespace plurix::sim

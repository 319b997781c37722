#include <plurix/base/assert.h>

#include <atomic>

namespace plurix {
namespace {

constinit std::atomic<PanicHandler> who_is_told = nullptr;

}  // namespace

void set_panic_handler(PanicHandler handler) noexcept {
  who_is_told.store(handler, std::memory_order_relaxed);
}

PanicHandler panic_handler() noexcept { return who_is_told.load(std::memory_order_relaxed); }

void panic(const char* what, const char* file, int line) noexcept {
  if (auto* const handler = panic_handler()) handler(what, file, line);
  __builtin_trap();
}

}  // namespace plurix

#include <plurix/base/assert.h>

#include <atomic>

namespace plurix {
namespace {

constinit std::atomic<PanicHandler> panic_handler = nullptr;

}  // namespace

void set_panic_handler(PanicHandler handler) noexcept {
  panic_handler.store(handler, std::memory_order_relaxed);
}

void panic(const char* what, const char* file, int line) noexcept {
  if (auto* const handler = panic_handler.load(std::memory_order_relaxed))
    handler(what, file, line);
  __builtin_trap();
}

}  // namespace plurix

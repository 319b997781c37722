// Assertions that stay on in release builds: an invariant that does not hold stops the node before
// it can damage the shared heap (nodes fail by stopping, DESIGN P7).
#pragma once

namespace plurix {

/// Called when an invariant does not hold; never returns. Tells the handler, then traps. Any
/// context.
[[noreturn]] void panic(const char* what, const char* file, int line) noexcept;

/// Who is told of a panic: a hosted room prints the sentence and aborts, a kernel shows it on its
/// console. One a program, since a panic ends the program; null: trap without a word.
using PanicHandler = void (*)(const char* what, const char* file, int line) noexcept;
void set_panic_handler(PanicHandler handler) noexcept;
PanicHandler panic_handler() noexcept;

}  // namespace plurix

#define PLURIX_ASSERT(condition)                     \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::plurix::panic(#condition, __FILE__, __LINE__))

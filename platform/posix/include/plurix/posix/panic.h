// What a hosted program does when an invariant does not hold.
#pragma once

#include <plurix/base/assert.h>

namespace plurix::posix {

/// A PanicHandler: one line on stderr, then SIGABRT. Signal context is fine.
void print_and_abort(const char* what, const char* file, int line) noexcept;

}  // namespace plurix::posix

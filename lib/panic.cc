#include <plurix/base/assert.h>

namespace plurix {

__attribute__((weak)) void panic(const char*, const char*, int) noexcept { __builtin_trap(); }

}  // namespace plurix

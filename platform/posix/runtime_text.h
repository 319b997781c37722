// Which code belongs to the C and C++ runtime libraries.
#pragma once

#include <cstdint>

namespace plurix::posix {

/// Looks the loaded libraries up, once a process; later calls do nothing. Not in signal handlers.
void find_runtime_text();

/// Whether `pc` lies in libc, libm, libstdc++, the loader or a sanitizer. True for every address
/// while unknown, where the runtime is linked statically, or under a sanitizer that may be. Any
/// context.
bool in_runtime_text(std::uintptr_t pc) noexcept;

}  // namespace plurix::posix

// Programs that stand in the heap beside the kernel and were compiled without it: put there by the
// machine whose boot loader has brought them, run by every machine.
#pragma once

#include "heap/node.h"

namespace plurix::kernel {

/// Puts the file that was loaded behind the kernel's into the heap under that name. Null, or words
/// that say why not.
const char* install_program(Resident& resident, std::string_view name) noexcept;

/// Runs it here. The answer is its own, or says why it must not run.
void run_program(Resident& resident, std::string_view name, baremetal::Text& answer) noexcept;

}  // namespace plurix::kernel

// The machine that the tests of a kernel run on.
#pragma once

#include <plurix/baremetal/machine.h>

namespace plurix::qemu_test {

baremetal::Machine& machine() noexcept;

}  // namespace plurix::qemu_test

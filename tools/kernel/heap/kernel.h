// The kernel's own image as an object of the heap.
#pragma once

#include "heap/node.h"

namespace plurix::kernel {

/// Puts it into the heap again, from the copy that this machine runs, when the cluster has gone
/// back to a state from before it was there.
void keep_kernel_in_heap(Resident& resident) noexcept;

}  // namespace plurix::kernel

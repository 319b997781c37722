// The kernel's services: the objects that name them, and what their functions do.
#pragma once

#include <plurix/transaction.h>

namespace plurix::kernel {

/// Makes them, once in a cluster.
void make_services(Transaction& t);

}  // namespace plurix::kernel

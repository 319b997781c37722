// `plurix demo --kill`: what a cluster with a PageServer does when its parts die.
#pragma once

#include "demo.h"

namespace plurix::tool {

/// Returns an exit code; everything to be said has been printed.
int run_kill_demo(const DemoSettings& settings);

}  // namespace plurix::tool

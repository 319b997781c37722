// A torture that kills: nodes and the PageServer of a cluster with a store are killed with kill -9,
// cut off and stopped while they transact.
#pragma once

#include "torture_plan.h"

namespace plurix::tool {

/// Returns an exit code; everything to be said has been printed. Throws std::exception when files
/// or processes cannot be had. The caller holds the StopSignals that it ends by.
int run_kill_torture(const TortureSettings& settings);

}  // namespace plurix::tool

// The torture: fleets of real processes work while their processes are stopped, their datagrams are
// lost, doubled, delayed, reordered and damaged, and strangers send them rubbish. After every round
// the heap must hold what it must, and the recorded history must be correct.
#pragma once

#include "torture_plan.h"

namespace plurix::tool {

/// Returns an exit code; everything to be said has been printed. Throws std::exception when files
/// or processes cannot be had. The caller holds the StopSignals that it ends by.
int run_torture(const TortureSettings& settings);

}  // namespace plurix::tool

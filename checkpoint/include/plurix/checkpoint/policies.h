// When images are taken: periodically, when the cluster is quiet, and when somebody waits for one.
#pragma once

#include <plurix/concepts/checkpoint_policy.h>

namespace plurix::checkpoint {

/// When an image is due; what both policies share.
struct Schedule {
  Duration interval = milliseconds(1000);  ///< between images, while there are commits
  Duration idle = milliseconds(100);       ///< without a commit for so long: now is a good time

  bool due(const CheckpointSituation& situation) const noexcept {
    // After a failure, the cause may need a moment to go away.
    if (situation.failures > 0 && situation.since_last < milliseconds(20)) return false;
    return situation.asked || situation.since_last >= interval || situation.quiet >= idle;
  }
};

/// The paper's: nobody commits from the image's commit time until it is stored.
struct Synchronous : Schedule {
  bool stops_cluster(const CheckpointSituation&) const noexcept { return true; }
};
static_assert(CheckpointPolicy<Synchronous>);

/// The cluster works on. When that has failed twice in a row, because pages were written again
/// faster than they could be kept, the next image stops it.
struct Asynchronous : Schedule {
  bool stops_cluster(const CheckpointSituation& situation) const noexcept {
    return situation.failures >= 2;
  }
};
static_assert(CheckpointPolicy<Asynchronous>);

}  // namespace plurix::checkpoint

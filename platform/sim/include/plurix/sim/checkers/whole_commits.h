// P3: a commit that needs several packets becomes visible only as a whole.
#pragma once

#include <plurix/sim/checkers/commit_times.h>
#include <plurix/sim/checkers/node_state.h>

namespace plurix::sim {

/// The packets of one commit take consecutive times: `next` goes on with the commit that `previous`
/// (null at the beginning) belongs to, or begins another when that was its last packet.
void check_packets_follow(const CommittedRecord* previous, const CommittedRecord& next);

/// A node that serves others has never applied a part of a commit. Commits it knows of and
/// `commits` does not are not judged.
void check_whole_commits(const CommitTimesChecker& commits, const NodeState& node);

}  // namespace plurix::sim

// Invariant `opacity` (T2): every attempt, whatever became of it, only ever saw one consistent
// snapshot.
//
// Theory: opacity asks of attempts that never commit what serializability asks of those that do.
// For each attempt there must be one position s in the commit order of its epoch's past at which
// all its reads hold (those answered by its own writes apart). s must not contain a commit that
// began after the attempt had ended: nobody sees the future.
//
// Each read holds during the intervals in which its key had that value. Starting from the newest
// position allowed, s goes back to the end of the nearest interval of each read in turn, until all
// reads agree or one has no interval left: all snapshots that are passed over are impossible.
// Attempts are close to the newest state, so few steps are needed.
#pragma once

#include <plurix/history/timeline.h>
#include <plurix/history/violation.h>

namespace plurix::history {

Findings check_opacity(const Timeline& timeline, std::size_t limit);

}  // namespace plurix::history

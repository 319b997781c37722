// Invariant `commit_order` (T1, P3): committed transactions are serializable in (epoch, commit
// time) order.
//
// Theory: the history names its own serial order, so no search is needed. Run the committed updates
// one after the other in that order on an empty heap: each must have read what the heap held just
// before it (or its own earlier write), and each read-only transaction what the heap held at its
// snapshot's commit time. Commit times of updates must be unique within an epoch; that they are
// dense cannot be seen here, since one commit may take several times.
//
// Cost: one binary search a read.
#pragma once

#include <plurix/history/timeline.h>
#include <plurix/history/violation.h>

namespace plurix::history {

Findings check_commit_order(const Timeline& timeline, std::size_t limit);

}  // namespace plurix::history

// Invariant `freshness` (T1): a strict read-only transaction's snapshot contains every update that
// ended before it began, also one of a later epoch.
//
// Theory: this is the half of strict serializability that a reader gets only when it asks for it;
// the other half, that no snapshot shows the future, holds for every reader and is judged by
// `real_time`. An update of unknown outcome has ended before nothing. What a rollback undid before
// the reader's epoch is not missed.
//
// Cost: running minima of `end_ns` against the commit order; one binary search a reader.
#pragma once

#include <plurix/history/timeline.h>
#include <plurix/history/violation.h>

namespace plurix::history {

Findings check_freshness(const Timeline& timeline, std::size_t limit);

}  // namespace plurix::history

// Invariant `well_formed`: the history is one that a run can have written at all. The other checks
// build on it.
//
//  * An attempt ends no earlier than it begins, appears once (an "unknown" line may be followed by
//  its outcome), and a
//    transaction commits at most once.
//  * A read-only transaction writes nothing; only read-only ones are strict; only committed ones
//  are durable.
//  * A committed update has a commit time greater than 0.
//  * A key is a register or a list, never both.
#pragma once

#include <plurix/history/index.h>
#include <plurix/history/violation.h>

namespace plurix::history {

Findings check_well_formed(const Index& index, std::size_t limit);

}  // namespace plurix::history

// Invariant `rollback` (P7, C1): a new epoch starts from one state, and what was promised durable
// is in it.
//
//  * A rollback to commit time T of epoch E undoes the commits of older epochs after T; none of
//  them may be durable.
//  * Commits of E have commit times greater than T; without a rollback, greater than all of the
//  epochs before.
//  * All rollback lines of one epoch name the same T.
//
// That nothing of an undone commit is seen afterwards needs no check here: `commit_order` and
// `opacity` judge each attempt against the past of its own epoch, in which undone commits do not
// occur.
#pragma once

#include <plurix/history/timeline.h>
#include <plurix/history/violation.h>

namespace plurix::history {

Findings check_rollback(const Timeline& timeline, std::size_t limit);

}  // namespace plurix::history

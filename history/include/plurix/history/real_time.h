// Invariant `real_time` (T1): what had ended is in the past of what begins.
//
//  * An update that ended before another began has the smaller commit time.
//  * No snapshot shows the future: it contains no update that began after the reader ended.
//
// Theory: strict serializability is serializability plus these edges. All times come from one
// clock, so two attempts whose intervals overlap are in no order. An update of unknown outcome may
// take effect after its `end_ns`: it has ended before nothing. An update that a rollback undid is
// compared with its own epoch and what came before it only.
//
// That a strict reader's snapshot is not too old is `freshness`' business.
//
// Cost: running maxima of `begin_ns` along the commit order; one binary search a reader.
#pragma once

#include <plurix/history/timeline.h>
#include <plurix/history/violation.h>

namespace plurix::history {

Findings check_real_time(const Timeline& timeline, std::size_t limit);

}  // namespace plurix::history

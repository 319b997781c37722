// Invariants found without trusting commit times (Adya's anomalies, inferred as Elle does it):
//   dependency_cycle · lost_update · aborted_read (G1a) · intermediate_read (G1b) · unwritten_value
//   · lost_append · incompatible_order · own_write_lost
//
// Theory: a history is serializable if its versions can be ordered so that the graph of "read
// from", "overwrote" and "was overwritten after being read" has no cycle; strictly so if the graph
// with the real-time edges has none. Values that are written once name their writers, lists show
// their own order (version_order.h), so the graph follows from values alone; commit times serve
// only to tell which commits a rollback undid. What survived is judged. A cycle is reported as the
// shortest found, an edge at a time, in words; a cycle through an append that no list shows is a
// `lost_append`.
//
// Not applicable to keys whose values repeat: the findings say which.
#pragma once

#include <plurix/history/timeline.h>
#include <plurix/history/violation.h>

namespace plurix::history {

Findings check_graph(const Timeline& timeline, std::size_t limit);

}  // namespace plurix::history

// Whether what a cluster did was right: what its nodes told, what the heap shows, what the recorded
// histories prove.
#pragma once

#include <plurix/history/check_all.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "child_node.h"
#include "merge_histories.h"

namespace plurix::tool {

class NodeFleet;

/// What is known of a run when its nodes have stopped.
struct RunRecord {
  nlohmann::json verified;  ///< the answer to `verify` (control.h)
  std::vector<NodeStatus> statuses;
  std::vector<HistoryPart> history_parts;

  /// All nodes together.
  NodeStatus total() const;
};

struct RunVerdict {
  bool invariant = false;
  std::string invariant_words;
  history::Report report;
  std::optional<std::uint64_t> up_to;  ///< of a history that was cut (merge_histories.h)

  bool ok() const { return invariant && report.ok(); }
};

/// What is asked of the nodes beside their histories.
struct Collecting {
  bool traces = false;
  bool whole_heap = false;  ///< verified object by object
};

/// Throws FleetFailure if the times in what a node has `saved` are not those of this host's clock.
void demand_comparable(const ChildNode& node, const nlohmann::json& saved);

/// Lets the first node of a stopped fleet verify the heap, and all save what they recorded as
/// FOLDER/history.INDEX, and FOLDER/trace.INDEX if asked for. Throws FleetFailure.
RunRecord collect(NodeFleet& fleet, const std::string& folder, const Collecting& wanted);

/// Throws std::runtime_error.
void write_history(const std::string& path, const history::History& history);

/// Reads and checks the histories. Writes the merged one to `history_file` if that has a name.
/// Throws std::runtime_error.
RunVerdict judge(const RunRecord& record, const std::string& history_file);

}  // namespace plurix::tool

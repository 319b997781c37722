#include "run_verdict.h"

#include <plurix/history/json_lines.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "exit_codes.h"
#include "node_fleet.h"

namespace plurix::tool {
namespace {

// The heap must hold what all nodes together say they have put there.
void judge_invariant(const RunRecord& record, RunVerdict& verdict) {
  const auto& verified = record.verified;
  verdict.invariant = verified.value("ok", false);
  verdict.invariant_words = verified.value("words", "");
  const auto all = record.total();
  if (!verified.contains("effects") || all.unknown != 0) return;
  if (verified.value("effects", std::uint64_t{0}) == all.effects) {
    verdict.invariant_words += ", as many as were committed";
    return;
  }
  verdict.invariant = false;
  verdict.invariant_words += ", but " + std::to_string(all.effects) + " were committed";
}

}  // namespace

NodeStatus RunRecord::total() const {
  NodeStatus all;
  for (const auto& status : statuses) {
    all.committed += status.committed;
    all.read_only += status.read_only;
    all.aborted += status.aborted;
    all.cancelled += status.cancelled;
    all.unknown += status.unknown;
    all.effects += status.effects;
    all.page_fetches += status.page_fetches;
    all.dropped += status.dropped;
    all.net_faults += status.net_faults;
    all.commit_time = std::max(all.commit_time, status.commit_time);
    all.most_restarts = std::max(all.most_restarts, status.most_restarts);
  }
  return all;
}

void demand_comparable(const ChildNode& node, const nlohmann::json& saved) {
  if (saved.value("clock_compared", true)) return;
  throw FleetFailure{kFailed, NodeFleet::name_of(node) +
                                  " could not compare its clock with this host's, so its history "
                                  "cannot be judged; look at the load of this host"};
}

RunRecord collect(NodeFleet& fleet, const std::string& folder, const Collecting& wanted) {
  RunRecord record;
  fleet.ask_all("collect", "collected");
  record.verified =
      fleet.ask(fleet.first(), wanted.whole_heap ? "verify heap" : "verify", "verified");
  for (const auto& node : fleet.nodes()) {
    const auto index = std::to_string(node->index());
    const auto history = folder + "/history." + index;
    node->send("save " + history + " " + (wanted.traces ? folder + "/trace." + index : "-"));
    record.history_parts.push_back({.path = history});
    record.statuses.push_back(node->status());
  }
  for (const auto& node : fleet.nodes()) {
    const auto saved = fleet.await(*node, "saved");
    if (!saved.value("ok", false)) {
      throw FleetFailure{kFailed, "a node could not write to " + folder};
    }
    demand_comparable(*node, saved);
    record.history_parts[node->index()].full = saved.value("full", false);
  }
  return record;
}

void write_history(const std::string& path, const history::History& history) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  bool ok = file != nullptr;
  if (ok) {
    history::LineWriter writer(file);
    for (const auto& attempt : history.attempts) writer.write(attempt);
    for (const auto& rollback : history.rollbacks) writer.write(rollback);
    ok = writer.flush();
  }
  if (file != nullptr) ok = std::fclose(file) == 0 && ok;
  if (!ok) throw std::runtime_error("the history could not be written to " + path);
}

RunVerdict judge(const RunRecord& record, const std::string& history_file) {
  RunVerdict verdict;
  judge_invariant(record, verdict);
  const auto merged = merge_histories(record.history_parts);
  if (!merged.error.empty()) throw std::runtime_error(merged.error);
  verdict.up_to = merged.up_to;
  verdict.report = history::check_all(merged.history);
  if (!history_file.empty()) write_history(history_file, merged.history);
  return verdict;
}

}  // namespace plurix::tool

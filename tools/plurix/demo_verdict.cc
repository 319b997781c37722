#include "demo_verdict.h"

#include <plurix/history/json_lines.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "demo_display.h"
#include "exit_codes.h"
#include "trace_file.h"

namespace plurix::tool {

void DemoResult::judge(const DemoSettings& settings) {
  judge_invariant();
  const auto merged = merge_histories(history_parts);
  if (!merged.error.empty()) throw std::runtime_error(merged.error);
  up_to_ = merged.up_to;
  report_ = history::check_all(merged.history);
  if (!settings.history_file.empty()) write_history(settings.history_file, merged.history);
  if (!settings.trace_file.empty()) write_trace_file(settings.trace_file, trace_parts);
}

// The heap must hold what all nodes together say they have put there.
void DemoResult::judge_invariant() {
  invariant_ = verified.value("ok", false);
  invariant_words_ = verified.value("words", "");
  const auto all = total();
  if (!verified.contains("effects") || all.unknown != 0) return;
  const auto seen = verified.value("effects", std::uint64_t{0});
  if (seen == all.effects) {
    invariant_words_ += ", as many as were committed";
    return;
  }
  invariant_ = false;
  invariant_words_ += ", but " + std::to_string(all.effects) + " were committed";
}

void DemoResult::write_history(const std::string& path, const history::History& merged) const {
  std::FILE* file = std::fopen(path.c_str(), "we");
  bool ok = file != nullptr;
  if (ok) {
    history::LineWriter writer(file);
    for (const auto& attempt : merged.attempts) writer.write(attempt);
    ok = writer.flush();
  }
  if (file != nullptr) ok = std::fclose(file) == 0 && ok;
  if (!ok) throw std::runtime_error("the history could not be written to " + path);
}

NodeStatus DemoResult::total() const {
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
    all.commit_time = std::max(all.commit_time, status.commit_time);
    all.most_restarts = std::max(all.most_restarts, status.most_restarts);
  }
  return all;
}

int DemoResult::exit_code() const { return invariant_ && report_.ok() ? kDone : kViolation; }

std::string DemoResult::words() const {
  const auto all = total();
  std::string text;
  char line[256];
  std::snprintf(line, sizeof line,
                "\n%s transactions committed in %.1f s (%s attempts aborted, %s ",
                with_separators(all.committed).c_str(), seconds,
                with_separators(all.aborted).c_str(), with_separators(all.page_fetches).c_str());
  text += line;
  text += "page fetches), commit time " + with_separators(all.commit_time) + "\n";
  text += std::string(invariant_ ? "right: " : "WRONG: ") + invariant_words_ + "\n";
  if (!report_.ok()) return text + "WRONG: " + history::to_words(report_);
  text += "right: the recorded history was checked serializable and opaque (" +
          with_separators(report_.counts.attempts) + " attempts, " +
          with_separators(report_.counts.operations) + " reads and writes)\n";
  if (up_to_) {
    text +=
        "       (recording stopped at --history-limit; checked is what happened up to commit "
        "time " +
        with_separators(*up_to_) + ")\n";
  }
  return text;
}

std::string DemoResult::to_json(const DemoSettings& settings) const {
  const auto all = total();
  const auto of = [](const NodeStatus& status) {
    return nlohmann::ordered_json{{"committed", status.committed},
                                  {"read_only", status.read_only},
                                  {"aborted", status.aborted},
                                  {"cancelled", status.cancelled},
                                  {"page_fetches", status.page_fetches},
                                  {"commit_time", status.commit_time},
                                  {"most_restarts", status.most_restarts},
                                  {"datagrams_dropped", status.dropped}};
  };
  nlohmann::ordered_json json = {{"nodes", settings.nodes},
                                 {"seconds", seconds},
                                 {"workload", settings.workload},
                                 {"fault_source", settings.fault_source},
                                 {"strategy", settings.strategy}};
  json.update(of(all));
  json["invariant"] = invariant_;
  json["invariant_words"] = invariant_words_;
  json["numbers"] = verified.value("numbers", nlohmann::json::object());
  json["history_checked"] = true;
  json["history_complete"] = !up_to_.has_value();
  json["attempts"] = report_.counts.attempts;
  json["violations"] = report_.violation_count;
  json["per_node"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    nlohmann::ordered_json node = {{"node", i}};
    node.update(of(statuses[i]));
    node["protocol"] = statuses[i].protocol;
    json["per_node"].push_back(node);
  }
  return json.dump();
}

}  // namespace plurix::tool

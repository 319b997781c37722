#include "demo_verdict.h"

#include <cstdio>

#include "demo_display.h"
#include "exit_codes.h"

namespace plurix::tool {

namespace {

/// What a PageServer has stored, and how much of that it needed no request for.
std::string image_words(const nlohmann::json& images) {
  const auto count = [&](const char* what) { return images.value(what, std::uint64_t{0}); };
  if (count("pages") == 0) return {};
  const auto percent = [&](const char* what) {
    return 100.0 * static_cast<double>(count(what)) / static_cast<double>(count("pages"));
  };
  char line[200];
  std::snprintf(line, sizeof line,
                "%s images taken meanwhile: %s pages, %.0f %% known without a request, %.0f %% "
                "overheard\n",
                with_separators(count("images")).c_str(), with_separators(count("pages")).c_str(),
                percent("pages_known"), percent("pages_snooped"));
  return line;
}

}  // namespace

int DemoResult::exit_code() const { return verdict.ok() ? kDone : kViolation; }

std::string DemoResult::words() const {
  const auto all = record.total();
  std::string text;
  char line[256];
  std::snprintf(line, sizeof line,
                "\n%s transactions committed in %.1f s (%s attempts aborted, %s ",
                with_separators(all.committed).c_str(), seconds,
                with_separators(all.aborted).c_str(), with_separators(all.page_fetches).c_str());
  text += line;
  text += "page fetches), commit time " + with_separators(all.commit_time) + "\n";
  for (const auto& status : record.statuses) text += image_words(status.images);
  text += std::string(verdict.invariant ? "right: " : "WRONG: ") + verdict.invariant_words + "\n";
  if (!verdict.report.ok()) return text + "WRONG: " + history::to_words(verdict.report);
  text += "right: the recorded history was checked serializable and opaque (" +
          with_separators(verdict.report.counts.attempts) + " attempts, " +
          with_separators(verdict.report.counts.operations) + " reads and writes)\n";
  if (!killed.is_null()) {
    std::snprintf(line, sizeof line,
                  "       (with what the killed machine had done; the others worked again after "
                  "%.0f ms, %zu commits were undone)\n",
                  killed.value("others_back_ms", 0.0), verdict.report.counts.undone);
    text += line;
  }
  if (verdict.up_to) {
    text +=
        "       (recording stopped at --history-limit; checked is what happened up to commit "
        "time " +
        with_separators(*verdict.up_to) + ")\n";
  }
  return text;
}

std::string DemoResult::to_json(const DemoSettings& settings) const {
  const auto all = record.total();
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
  nlohmann::ordered_json json = {{"nodes", settings.nodes()},
                                 {"hosted", settings.hosted},
                                 {"qemu", settings.machines},
                                 {"transport", settings.on_segment() ? "segment" : "udp"},
                                 {"seconds", seconds},
                                 {"workload", settings.workload},
                                 {"fault_source", settings.fault_source},
                                 {"strategy", settings.strategy}};
  json.update(of(all));
  json["invariant"] = verdict.invariant;
  json["invariant_words"] = verdict.invariant_words;
  json["numbers"] = record.verified.value("numbers", nlohmann::json::object());
  json["history_checked"] = true;
  json["history_complete"] = !verdict.up_to.has_value();
  json["attempts"] = verdict.report.counts.attempts;
  json["violations"] = verdict.report.violation_count;
  if (settings.false_sharing != "off") json["sharing"] = sharing;
  if (!hub.is_null()) json["hub"] = hub;
  if (!killed.is_null()) {
    json["killed"] = killed;
    json["killed"]["commits_undone"] = verdict.report.counts.undone;
  }
  json["per_node"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < record.statuses.size(); ++i) {
    nlohmann::ordered_json node = {{"node", i}};
    node.update(of(record.statuses[i]));
    node["protocol"] = record.statuses[i].protocol;
    if (!record.statuses[i].images.empty()) node["images"] = record.statuses[i].images;
    json["per_node"].push_back(node);
  }
  return json.dump();
}

}  // namespace plurix::tool

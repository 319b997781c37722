// The report of check_all.h in words and as JSON.
#include <nlohmann/json.hpp>
#include <string>

#include <plurix/history/check_all.h>

namespace plurix::history {
namespace {

using Json = nlohmann::ordered_json;

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what;
}

std::string violations_text(std::size_t count) {
  return count == 1 ? "1 violation" : counted(count, "violations");
}

std::string counts_text(const Counts& counts) {
  std::string text =
      counted(counts.attempts, "attempts (") + counted(counts.committed, "committed, of these ") +
      counted(counts.read_only, "read-only; ") + counted(counts.aborted, "aborted, ") +
      counted(counts.cancelled, "cancelled, ") + counted(counts.unknown, "unknown), ") +
      counted(counts.operations, "operations, ") + counted(counts.keys, "keys");
  if (counts.rollbacks > 0) {
    text += ", " + counted(counts.rollbacks, "rollbacks that undid ") +
            counted(counts.undone, "commits");
  }
  return text;
}

Json counts_json(const Counts& counts) {
  return {{"attempts", counts.attempts},     {"committed", counts.committed},
          {"aborted", counts.aborted},       {"cancelled", counts.cancelled},
          {"unknown", counts.unknown},       {"read_only", counts.read_only},
          {"undone", counts.undone},         {"rollbacks", counts.rollbacks},
          {"operations", counts.operations}, {"keys", counts.keys}};
}

Json violation_json(const Violation& violation, const History& history) {
  Json attempts = Json::array();
  for (const std::size_t id : violation.attempts) {
    const Attempt& attempt = history.attempts[id];
    attempts.push_back({{"node", attempt.node},
                        {"incarnation", attempt.incarnation},
                        {"tx", attempt.tx},
                        {"attempt", attempt.attempt}});
  }
  return {{"invariant", violation.invariant}, {"words", violation.words}, {"attempts", attempts}};
}

}  // namespace

std::string to_words(const Report& report) {
  std::string text = counts_text(report.counts) + "\nchecked:";
  for (const Check check : report.checks_run) {
    text += ' ';
    text += name_of(check);
  }
  text += "\n";
  for (const NotApplicable& skipped : report.not_applicable) {
    text += "not judged by " + std::string(name_of(skipped.check)) + ": " + skipped.why + "\n";
  }
  for (const Violation& violation : report.violations) {
    text += "VIOLATION of " + violation.invariant + ": " + violation.words + "\n";
  }
  const std::size_t more = report.violation_count - report.violations.size();
  if (more > 0) text += "and " + counted(more, "more\n");
  return text + (report.ok() ? "no violation\n" : violations_text(report.violation_count) + "\n");
}

std::string to_json(const Report& report, const History& history) {
  Json json{{"ok", report.ok()},
            {"violation_count", report.violation_count},
            {"violations", Json::array()},
            {"checks_run", Json::array()},
            {"not_applicable", Json::array()},
            {"counts", counts_json(report.counts)}};
  for (const Violation& violation : report.violations) {
    json["violations"].push_back(violation_json(violation, history));
  }
  for (const Check check : report.checks_run) json["checks_run"].push_back(name_of(check));
  for (const NotApplicable& skipped : report.not_applicable) {
    json["not_applicable"].push_back({{"check", name_of(skipped.check)}, {"why", skipped.why}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace plurix::history

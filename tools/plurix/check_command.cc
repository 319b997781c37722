#include "check_command.h"

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <plurix/history/check_all.h>
#include <plurix/history/json_lines.h>

namespace {

using namespace plurix::history;

enum ExitCode { kDone = 0, kFailed = 1, kViolation = 4 };

struct Arguments {
  std::string file;
  std::vector<std::string> checks;
  std::optional<std::uint32_t> max_restarts;
  bool json = false;
};

constexpr auto kFooter =
    R"(Exit codes: 0 no violation, 1 FILE cannot be read or is not a history, 2 usage, 4 violation found.

Examples:
  plurix check run.jsonl
  plurix check run.jsonl --checks commit_order,opacity --json)";

std::string names_of_checks() {
  std::string names;
  for (const Check check : kAllChecks)
    names += (names.empty() ? "" : ", ") + std::string(name_of(check));
  return names;
}

std::string check_name_error(const std::string& name) {
  if (check_named(name)) return "";
  return "there is no check \"" + name + "\"; choose from " + names_of_checks();
}

CheckOptions options_of(const Arguments& arguments) {
  CheckOptions options;
  if (!arguments.checks.empty()) options.checks.clear();
  for (const std::string& name : arguments.checks) options.checks.push_back(*check_named(name));
  options.promised_restarts = arguments.max_restarts;
  return options;
}

int run_check(const Arguments& arguments) {
  const ReadResult read = read_history_file(arguments.file);
  if (!read.ok()) {
    std::cerr << "plurix check: " << read.error << "\n"
              << "Nothing was checked, because the file is not a complete history. Record it anew "
                 "(--history FILE of "
                 "demo or sim), or mend that line; docs/history.md has the format.\n";
    return kFailed;
  }
  const Report report = check_all(read.history, options_of(arguments));
  std::cout << (arguments.json ? to_json(report, read.history) + "\n" : to_words(report));
  return report.ok() ? kDone : kViolation;
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_code) {
  CLI::App* check = app.add_subcommand("check",
                                       "Check a recorded history: serializable in commit order, "
                                       "real time, opacity, dependency cycles");
  const auto arguments = std::make_shared<Arguments>();
  check->add_option("FILE", arguments->file, "The history, one JSON object a line")->required();
  check
      ->add_option("--checks", arguments->checks,
                   "Only these checks, by comma: " + names_of_checks())
      ->delimiter(',')
      ->check(CLI::Validator(check_name_error, "NAME"));
  check->add_option("--max-restarts", arguments->max_restarts,
                    "How often a transaction may be taken back, as its commit strategy promises");
  check->add_flag("--json", arguments->json, "One line of JSON with stable keys instead of words");
  check->footer(kFooter);
  check->callback([arguments, &exit_code] { exit_code = run_check(*arguments); });
}

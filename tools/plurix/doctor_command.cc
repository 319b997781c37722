#include "doctor_command.h"

#include <plurix/posix/environment.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/node.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "exit_codes.h"

namespace plurix::tool {
namespace {

constexpr auto kFooter =
    R"(Exit codes: 0 a node runs here, 5 it does not. What is only missing for speed is told, too.

Examples:
  plurix doctor
  plurix doctor --json)";

/// The proof of the pudding: empty when a node could be started, else the reason.
std::string why_no_node() {
  try {
    const posix::Node node(
        {.cluster = "doctor", .bind = "127.0.0.1:0", .found = posix::Founding::kAlways});
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

void print(const std::vector<posix::Probe>& probes, const std::string& why_not) {
  for (const auto& probe : probes) {
    std::cout << (probe.ok ? "ok    " : "LACKS ") << probe.name << ": " << probe.found << "\n";
    if (probe.ok) continue;
    std::cout << "      why it matters: " << probe.why << "\n";
    if (!probe.what_to_do.empty()) std::cout << "      what to do: " << probe.what_to_do << "\n";
  }
  std::cout << (why_not.empty() ? "A node runs here.\n" : "NO NODE RUNS HERE: " + why_not + "\n");
}

std::string to_json(const std::vector<posix::Probe>& probes, const std::string& why_not) {
  nlohmann::ordered_json json = {{"fit", why_not.empty()}, {"why_not", why_not}};
  json["probes"] = nlohmann::ordered_json::array();
  for (const auto& probe : probes) {
    json["probes"].push_back({{"name", probe.name},
                              {"ok", probe.ok},
                              {"found", probe.found},
                              {"why", probe.why},
                              {"what_to_do", probe.what_to_do}});
  }
  return json.dump();
}

int run(bool as_json) {
  const auto probes = posix::probe_environment();
  const auto why_not = why_no_node();
  if (as_json) {
    std::cout << to_json(probes, why_not) << "\n";
  } else {
    print(probes, why_not);
  }
  return why_not.empty() ? kDone : kNotFit;
}

}  // namespace
}  // namespace plurix::tool

void add_doctor_command(CLI::App& app, int& exit_code) {
  using namespace plurix::tool;
  CLI::App* doctor =
      app.add_subcommand("doctor", "Say what this machine lacks for a node, and what to do");
  const auto json = std::make_shared<bool>(false);
  doctor->add_flag("--json", *json, "One line of JSON");
  doctor->footer(kFooter);
  doctor->callback([json, &exit_code] { exit_code = run(*json); });
}

#include "version_command.h"

#include <plurix/heap/layout.h>
#include <plurix/wire/frame.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "exit_codes.h"

namespace {

constexpr auto kFooter = R"(Nodes understand each other when wire format and heap format are equal.

Examples:
  plurix version
  plurix version --json)";

int run(bool json) {
  const nlohmann::ordered_json facts = {
      {"version", PLURIX_VERSION},
      {"wire_format", plurix::wire::kVersion},
      {"heap_format", plurix::HeapGeometry{}.format},
      {"compiler", __VERSION__},
  };
  if (json) {
    std::cout << facts.dump() << "\n";
  } else {
    std::cout << "plurix " PLURIX_VERSION " (wire format " << facts["wire_format"]
              << ", heap format " << facts["heap_format"] << ", compiler " __VERSION__ ")\n";
  }
  return plurix::tool::kDone;
}

}  // namespace

void add_version_command(CLI::App& app, int& exit_code) {
  CLI::App* version = app.add_subcommand("version", "Say which version this is");
  const auto json = std::make_shared<bool>(false);
  version->add_flag("--json", *json, "One line of JSON");
  version->footer(kFooter);
  version->callback([json, &exit_code] { exit_code = run(*json); });
}

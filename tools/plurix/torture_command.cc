#include "torture_command.h"

#include <plurix/base/types.h>

#include <exception>
#include <iostream>
#include <memory>

#include "exit_codes.h"
#include "kill_torture.h"
#include "option_checks.h"
#include "stop_signals.h"
#include "torture.h"
#include "workloads/all.h"

namespace plurix::tool {
namespace {

constexpr auto kFooter =
    R"(A fleet is one cluster: its nodes run on every kind of fault source and socket, every other fleet
under the strategy first-wins, and it does every workload for a round. Nodes, faults and order are
drawn from the seed; progress goes to stderr. On failure, histories, logs and the states of the nodes
are kept, and the command that repeats the plan of that fleet is printed.

Examples:
  plurix torture --minutes 10 --nodes 5
  plurix torture --kill --minutes 10 --nodes 3
  plurix torture --minutes 1 --nodes 3 --faults loss,reordering,pause --seed 7 --json)";

std::string fault_list_error(const std::string& list) {
  if (TortureMenu::parse(list)) return {};
  return "\"" + list + "\" is no list of faults; choose from all, none, " + TortureMenu::names();
}

std::string workload_error(const std::string& name) {
  std::string list = "all";
  for (const auto& each : workloads::names()) {
    if (name == each) return {};
    list += ", " + each;
  }
  if (name == "all") return {};
  return "there is no workload \"" + name + "\"; choose from " + list;
}

int run(const TortureSettings& settings) {
  const StopSignals signals([](void*) {}, nullptr);
  try {
    return settings.kill ? run_kill_torture(settings) : run_torture(settings);
  } catch (const std::exception& error) {
    std::cerr << "plurix torture: " << error.what() << "\n";
    return kFailed;
  }
}

}  // namespace
}  // namespace plurix::tool

void add_torture_command(CLI::App& app, int& exit_code) {
  using namespace plurix::tool;
  CLI::App* torture = app.add_subcommand(
      "torture", "Treat clusters of real processes badly, and check everything they do");
  const auto settings = std::make_shared<TortureSettings>();
  torture
      ->add_option("--minutes", settings->minutes,
                   "How long, but at least until the first fleet is done")
      ->check(CLI::Range(0.01, 1e6))
      ->capture_default_str();
  torture->add_option("--nodes", settings->nodes, "Processes of a fleet, each a node")
      ->check(CLI::Range(std::size_t{1}, plurix::kMaxNodes))
      ->capture_default_str();
  torture->add_option("--transactions", settings->transactions,
                      "End before the time is up when so many have committed; 0: no");
  torture->add_option("--seed", settings->seed, "Seed of the plan")->capture_default_str();
  torture->add_option("--first-fleet", settings->first_fleet, "Begin with this fleet of the plan")
      ->capture_default_str();
  torture
      ->add_option("--faults", settings->faults, "all, none, or some of: " + TortureMenu::names())
      ->check(CLI::Validator(fault_list_error, "LIST"))
      ->capture_default_str();
  torture->add_option("--workload", settings->workload, "Only this one")
      ->check(CLI::Validator(workload_error, "NAME"))
      ->capture_default_str();
  torture->add_option("--round-seconds", settings->round_seconds, "How long a workload runs")
      ->check(CLI::Range(0.1, 1e4))
      ->capture_default_str();
  torture
      ->add_option("--patience", settings->patience_seconds,
                   "Seconds without a transaction after which a node is stuck")
      ->check(CLI::Range(1.0, 1e4))
      ->capture_default_str();
  torture->add_flag("--kill", settings->kill,
                    "Kill nodes and PageServers with kill -9, cut them off, stop them, and check "
                    "the heap after each of these");
  torture->add_flag("--json", settings->json, "One line of JSON at the end instead of words");
  torture->footer(kFooter);
  torture->callback([settings, &exit_code] { exit_code = run(*settings); });
}

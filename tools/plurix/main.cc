// plurix: the command. Each subcommand is a file of its own; here they only come together.
#include <CLI/CLI.hpp>
#include <csignal>

#include "check_command.h"
#include "checkpoint_command.h"
#include "demo_command.h"
#include "doctor_command.h"
#include "exit_codes.h"
#include "hub_command.h"
#include "inspect_command.h"
#include "node_command.h"
#include "sim_command.h"
#include "torture_command.h"
#include "version_command.h"

namespace {

constexpr auto kFooter =
    R"(Exit codes: 0 done, 1 failed, 2 usage, 3 not reachable, 4 consistency violation found, 5 this
machine lacks something (plurix doctor says what).)";

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error to handle, not an end
  CLI::App app("A cluster of nodes that share one transactional heap", "plurix");
  int exit_code = plurix::tool::kDone;
  app.require_subcommand(1);
  app.footer(kFooter);
  add_demo_command(app, exit_code);
  add_node_command(app, exit_code);
  add_inspect_command(app, exit_code);
  add_hub_command(app, exit_code);
  add_pageserver_command(app, exit_code);
  add_checkpoint_command(app, exit_code);
  add_check_command(app, exit_code);
  add_sim_command(app, exit_code);
  add_torture_command(app, exit_code);
  add_doctor_command(app, exit_code);
  add_version_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? plurix::tool::kDone : plurix::tool::kUsage;
  }
  return exit_code;
}

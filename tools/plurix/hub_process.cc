#include "hub_process.h"

#include <poll.h>
#include <chrono>

#include "exit_codes.h"
#include "node_fleet.h"
#include "stop_signals.h"

namespace plurix::tool {
namespace {

Program hub_at(const std::string& path, const std::vector<std::string>& arguments) {
  auto program = Program::plurix("hub", {"--control", "--socket", path});
  program.words.insert(program.words.end(), arguments.begin(), arguments.end());
  return program;
}

}  // namespace

HubProcess::HubProcess(const std::string& path, const std::vector<std::string>& arguments)
    : path_(path), process_(0, hub_at(path, arguments)) {
  (void)await("ready");
}

nlohmann::json HubProcess::counters() {
  process_.send("counters");
  return await("counters");
}

nlohmann::json HubProcess::await(std::string_view event) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (process_.end().empty() && std::chrono::steady_clock::now() < until) {
    if (auto answer = process_.take(event)) return std::move(*answer);
    if (stop_asked()) throw FleetFailure{kFailed, "interrupted; the nodes are stopped, no verdict"};
    pollfd readable = {process_.fd(), POLLIN, 0};
    (void)::poll(&readable, 1, 100);
    process_.look();
  }
  throw FleetFailure{kFailed,
                     "the hub " + (process_.end().empty() ? "does not answer" : process_.end())};
}

}  // namespace plurix::tool

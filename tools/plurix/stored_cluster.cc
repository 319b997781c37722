#include "stored_cluster.h"

#include <plurix/posix/monotonic_clock.h>

#include <poll.h>
#include <algorithm>
#include <csignal>

#include "exit_codes.h"
#include "stop_signals.h"

namespace plurix::tool {
namespace {

constexpr double kPatience = 60;  // seconds for any one answer

std::uint64_t undone_by(const nlohmann::json& epoch) {
  // Who had to join again lost what the PageServer did not have, as in a rollback.
  return epoch.value("rollbacks", std::uint64_t{0}) + epoch.value("expulsions", std::uint64_t{0});
}

double seconds_in(const nlohmann::json& event) {
  return static_cast<double>(event.value("ns", std::int64_t{0})) / 1e9;
}

}  // namespace

double StoredCluster::now() { return static_cast<double>(posix::MonotonicClock().now().ns) / 1e9; }

// ---- processes

std::vector<std::string> StoredCluster::words_for(bool server, const std::string& address) {
  std::vector<std::string> words = {"--control", "--cluster", settings_.name, "--bind", address};
  words.insert(words.end(), settings_.arguments.begin(), settings_.arguments.end());
  if (server) {
    words.insert(words.end(), {"--dir", settings_.store, "--image-every", settings_.image_seconds});
  } else {
    words.insert(words.end(), {"--found", "never", "--peer", server_address_});
  }
  if (!settings_.records.empty()) {
    record_files_.push_back(settings_.records + std::to_string(record_files_.size()));
    words.insert(words.end(), {"--record", record_files_.back()});
  }
  return words;
}

StoredCluster::Child StoredCluster::start(std::size_t index, const std::string& address) {
  const auto log = settings_.logs.empty() ? "" : settings_.logs + std::to_string(index);
  const auto program = Program::plurix("node", words_for(index == 0, address));
  auto child = std::make_unique<ChildNode>(index, program, log);
  undone_[index] = 0;
  return child;
}

void StoredCluster::start_server() {
  const bool again = !server_address_.empty();
  server_ = start(0, again ? server_address_ : "127.0.0.1:0");
  server_address_ = await(*server_, "ready").value("address", "");
}

void StoredCluster::start_node(std::size_t index) {
  if (nodes_.size() < index) nodes_.resize(index);
  nodes_[index - 1] = start(index, "127.0.0.1:0");
  await(node(index), "ready");
}

void StoredCluster::start_all(std::size_t nodes) {
  start_server();
  for (std::size_t i = 1; i <= nodes; ++i) start_node(i);
}

void StoredCluster::kill(Child& child) {
  ::kill(child->pid(), SIGKILL);
  while (child->end().empty()) {
    pollfd readable{child->fd(), POLLIN, 0};
    (void)::poll(&readable, 1, 20);
    child->look();
  }
  child.reset();
}

void StoredCluster::kill_server() { kill(server_); }
void StoredCluster::kill_node(std::size_t index) { kill(nodes_.at(index - 1)); }

// ---- talking

void StoredCluster::look(int milliseconds) {
  std::vector<pollfd> readable;
  std::vector<ChildNode*> all;
  if (server_) all.push_back(server_.get());
  for (const auto& node : nodes_) {
    if (node) all.push_back(node.get());
  }
  for (const auto* child : all) readable.push_back({child->fd(), POLLIN, 0});
  (void)::poll(readable.data(), readable.size(), milliseconds);
  if (stop_asked()) throw FleetFailure{kFailed, "interrupted; the nodes are stopped, no verdict"};
  for (auto* child : all) {
    child->look();
    if (child->end().empty()) continue;
    const auto failed = child->take("failed");
    throw FleetFailure{kFailed, NodeFleet::name_of(*child) + " " + child->end() +
                                    (failed ? ": " + failed->value("words", "") : "")};
  }
}

nlohmann::json StoredCluster::await(ChildNode& node, std::string_view event) {
  for (const auto end = now() + kPatience; now() < end; look(20)) {
    node.look();
    if (auto answer = node.take(event)) return std::move(*answer);
    if (auto failed = node.take("failed")) {
      throw FleetFailure{failed->value("code", int{kFailed}),
                         failed->value("words", "") + states()};
    }
  }
  throw FleetFailure{kFailed, NodeFleet::name_of(node) + " has not answered (awaited: " +
                                  std::string(event) + ")" + states()};
}

nlohmann::json StoredCluster::ask(ChildNode& node, std::string_view command,
                                  std::string_view answer) {
  node.send(command);
  return await(node, answer);
}

void StoredCluster::tell_all(std::string_view command) {
  for (const auto& node : nodes_) node->send(command);
}

void StoredCluster::ask_all(std::string_view command, std::string_view answer) {
  tell_all(command);
  for (const auto& node : nodes_) await(*node, answer);
}

void StoredCluster::rest() {
  ask_all("stop", "stopped");
  ask_all("collect", "collected");
  (void)ask(*server_, "collect", "collected");
}

void StoredCluster::work(double seconds) {
  for (const auto end = now() + seconds; now() < end;) look(10);
}

void StoredCluster::forget_epochs() {
  look(0);
  const auto forget = [](ChildNode& child, std::string_view event) {
    while (child.take(event)) {
    }
  };
  if (server_) forget(*server_, "noticed");
  for (const auto& node : nodes_) {
    if (node) forget(*node, "epoch");
  }
}

StoredCluster::Return StoredCluster::await_return(const std::vector<std::size_t>& survivors,
                                                  double since) {
  Return result{.worked = since};
  std::map<std::size_t, std::uint64_t> epochs;
  const auto together = [&] {
    return epochs.size() == survivors.size() &&
           std::all_of(epochs.begin(), epochs.end(),
                       [&](const auto& each) { return each.second == epochs.begin()->second; });
  };
  for (const auto end = now() + kPatience; !together(); look(5)) {
    if (now() > end) {
      throw FleetFailure{kFailed, "the nodes did not come together again" + states()};
    }
    for (const auto index : survivors) {
      while (const auto epoch = node(index).take("epoch")) {
        epochs[index] = epoch->value("epoch", std::uint64_t{0});
        result.worked = std::max(result.worked, seconds_in(*epoch));
        result.start = epoch->value("start", std::uint64_t{0});
        result.undone = result.undone || undone_by(*epoch) > undone_[index];
        undone_[index] = undone_by(*epoch);
      }
    }
  }
  result.noticed = noticed(since);
  return result;
}

double StoredCluster::noticed(double since) {
  if (noticed_ < since) noticed_ = 0;
  while (server_) {
    const auto event = server_->take("noticed");
    if (!event) break;
    const auto at = seconds_in(*event);
    if (at >= since && noticed_ == 0) noticed_ = at;
  }
  return noticed_;
}

std::string StoredCluster::states() {
  std::vector<ChildNode*> all;
  if (server_) all.push_back(server_.get());
  for (const auto& node : nodes_) {
    if (node) all.push_back(node.get());
  }
  for (const auto* child : all) ::kill(child->pid(), SIGUSR2);
  std::string words;
  for (const auto end = now() + 0.5; now() < end;) {
    pollfd readable{all.front()->fd(), POLLIN, 0};
    (void)::poll(&readable, 1, 100);
  }
  for (auto* child : all) {
    child->look();
    const auto state = child->take("state");
    words += "\n  " + NodeFleet::name_of(*child) + ": " + (state ? state->dump() : child->end());
  }
  return words;
}

}  // namespace plurix::tool

#include "node_fleet.h"

#include <poll.h>
#include <algorithm>

#include "exit_codes.h"
#include "stop_signals.h"

namespace plurix::tool {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kUntilReady{20'000};
constexpr milliseconds kUntilGone{5'000};

}  // namespace

std::string NodeFleet::name_of(const ChildNode& node) {
  return "node " + std::to_string(node.index()) + " (process " + std::to_string(node.pid()) + ")";
}

std::vector<std::string> NodeFleet::network_arguments(bool founds) const {
  if (!segment_.empty()) return {"--segment", segment_};
  if (founds) return {"--bind", "127.0.0.1:0"};
  return {"--bind", "127.0.0.1:0", "--peer", addresses_.front()};
}

Program NodeFleet::program_for(const Place& place, bool founds) const {
  const std::string found = founds ? "always" : "never";
  if (place.machine) {
    auto machine = *place.machine;
    machine.words = "control=1 cluster=" + cluster_ + " found=" + found;
    for (const auto& word : place.arguments) machine.words += " " + word;
    return machine.program();
  }
  std::vector<std::string> words = {"--control", "--cluster", cluster_, "--found", found};
  const auto network = network_arguments(founds);
  words.insert(words.end(), network.begin(), network.end());
  words.insert(words.end(), place.arguments.begin(), place.arguments.end());
  return Program::plurix("node", words);
}

void NodeFleet::start(const std::vector<Place>& places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto program = program_for(places[i], i == 0);
    nodes_.push_back(std::make_unique<ChildNode>(i, program, places[i].log));
    if (i == 0) await_ready(first());
  }
  for (std::size_t i = 1; i < nodes_.size(); ++i) await_ready(*nodes_[i]);
}

void NodeFleet::replace(std::size_t index, const Place& place) {
  nodes_[index].reset();
  nodes_[index] = std::make_unique<ChildNode>(index, program_for(place, false), place.log);
  note_ready(*nodes_[index]);
}

const nlohmann::json& NodeFleet::note_ready(ChildNode& node) {
  ready_.resize(std::max(ready_.size(), node.index() + 1));
  return ready_[node.index()] = await(node, "ready", kUntilReady);
}

void NodeFleet::await_ready(ChildNode& node) {
  const auto& ready = note_ready(node);
  addresses_.push_back(ready.value("address", ""));
  kinds_.push_back(ready.value("fault_source", "") + "/" + ready.value("receive", ""));
}

nlohmann::json NodeFleet::await(ChildNode& node, std::string_view event) {
  return await(node, event, patience_);
}

nlohmann::json NodeFleet::ask(ChildNode& node, std::string_view command, std::string_view answer) {
  node.send(command);
  return await(node, answer);
}

void NodeFleet::ask_all(std::string_view command, std::string_view answer) {
  for (const auto& node : nodes_) node->send(command);
  for (const auto& node : nodes_) await(*node, answer);
}

nlohmann::json NodeFleet::await(ChildNode& node, std::string_view event, milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    if (auto answer = node.take(event)) return std::move(*answer);
    if (Clock::now() >= until) {
      throw FleetFailure{kFailed, name_of(node) + " has not answered for " +
                                      std::to_string(patience.count() / 1000) +
                                      " s (awaited: " + std::string(event) + ")"};
    }
    look_around(milliseconds(100));
  }
}

void NodeFleet::look_around(milliseconds at_most) {
  wait_for_news(at_most);
  if (stop_asked()) throw FleetFailure{kFailed, "interrupted; the nodes are stopped, no verdict"};
  for (const auto& node : nodes_) {
    if (auto failed = node->take("failed")) {
      throw FleetFailure{failed->value("code", int{kFailed}), failed->value("words", "")};
    }
    if (!node->end().empty()) throw FleetFailure{kFailed, name_of(*node) + " " + node->end()};
  }
}

void NodeFleet::wait_for_news(milliseconds at_most) {
  std::vector<pollfd> readable;
  for (const auto& node : nodes_) readable.push_back({node->fd(), POLLIN, 0});
  (void)::poll(readable.data(), readable.size(), static_cast<int>(at_most.count()));
  for (const auto& node : nodes_) node->look();
}

std::vector<std::string> NodeFleet::let_go() {
  std::vector<std::string> wrong;
  while (!nodes_.empty()) {
    auto& node = *nodes_.back();
    node.send("quit");
    const auto until = Clock::now() + kUntilGone;
    while (node.end().empty() && Clock::now() < until) wait_for_news(milliseconds(50));
    if (node.end().empty()) {
      wrong.push_back(name_of(node) + " did not end by itself; killed");
    } else if (!node.ended_well()) {
      wrong.push_back(name_of(node) + " " + node.end());
    }
    nodes_.pop_back();
  }
  return wrong;
}

}  // namespace plurix::tool

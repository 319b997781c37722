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

std::vector<std::string> NodeFleet::arguments_for(std::size_t index, const Place& place) const {
  std::vector<std::string> words = {"--control", "--cluster", cluster_, "--bind", "127.0.0.1:0"};
  if (index == 0) {
    words.insert(words.end(), {"--found", "always"});
  } else {
    words.insert(words.end(), {"--found", "never", "--peer", addresses_.front()});
  }
  words.insert(words.end(), place.arguments.begin(), place.arguments.end());
  return words;
}

void NodeFleet::start(const std::vector<Place>& places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    nodes_.push_back(std::make_unique<ChildNode>(i, arguments_for(i, places[i]), places[i].log));
    if (i == 0) await_ready(first());
  }
  for (std::size_t i = 1; i < nodes_.size(); ++i) await_ready(*nodes_[i]);
}

void NodeFleet::await_ready(ChildNode& node) {
  const auto ready = await(node, "ready", kUntilReady);
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
    } else if (node.exit_code() != kDone) {
      wrong.push_back(name_of(node) + " " + node.end());
    }
    nodes_.pop_back();
  }
  return wrong;
}

}  // namespace plurix::tool

#include "demo.h"

#include <poll.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

#include "child_node.h"
#include "demo_display.h"
#include "demo_verdict.h"
#include "exit_codes.h"
#include "stop_signals.h"
#include "temporary_directory.h"

namespace plurix::tool {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kUntilReady{20'000};
constexpr milliseconds kUntilAnswer{60'000};
constexpr milliseconds kUntilGone{5'000};

/// Ends the demo before its verdict.
struct Failure {
  int code;
  std::string words;
};

class Demo {
 public:
  explicit Demo(const DemoSettings& settings)
      : settings_(settings), display_(settings.nodes, settings.json) {}

  DemoResult run() {
    start_nodes();
    ask(*children_[0], "setup", "setup");
    work();
    DemoResult result = collect();
    let_go();
    return result;
  }

 private:
  std::vector<std::string> arguments_for(std::size_t index, const std::string& founder) const {
    std::vector<std::string> words = {"--control",
                                      "--cluster",
                                      cluster_,
                                      "--bind",
                                      "127.0.0.1:0",
                                      "--workload",
                                      settings_.workload,
                                      "--fault-source",
                                      settings_.fault_source,
                                      "--strategy",
                                      settings_.strategy,
                                      "--heap",
                                      std::to_string(settings_.heap_bytes),
                                      "--drop",
                                      std::to_string(settings_.drop_percent),
                                      "--seed",
                                      std::to_string(settings_.seed + index),
                                      "--history-limit",
                                      std::to_string(settings_.history_limit),
                                      "--found",
                                      index == 0 ? "always" : "never"};
    if (index != 0) words.insert(words.end(), {"--peer", founder});
    if (!settings_.trace_file.empty()) words.push_back("--record-trace");
    return words;
  }

  void start_nodes() {
    std::string founder;
    for (std::size_t i = 0; i < settings_.nodes; ++i) {
      children_.push_back(std::make_unique<ChildNode>(i, arguments_for(i, founder)));
      if (i == 0) founder = await(*children_[0], "ready", kUntilReady).value("address", "");
    }
    for (std::size_t i = 1; i < settings_.nodes; ++i) await(*children_[i], "ready", kUntilReady);
    display_.say("a cluster of " + std::to_string(settings_.nodes) + " processes at " + founder +
                 " ff.: " + settings_.workload + " for " + shortest(settings_.seconds) + " s");
  }

  static std::string shortest(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", number);
    return text;
  }

  void work() {
    for (const auto& child : children_) child->send("start");
    const auto begin = Clock::now();
    const auto end = begin + milliseconds(static_cast<std::int64_t>(settings_.seconds * 1000));
    while (Clock::now() < end) {
      look_around(std::min(milliseconds(100), std::chrono::ceil<milliseconds>(end - Clock::now())));
      display_.update(children_);
    }
    for (const auto& child : children_) child->send("stop");
    for (const auto& child : children_) await(*child, "stopped", kUntilAnswer);
    seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
    display_.finish(children_);
  }

  DemoResult collect() {
    DemoResult result;
    result.seconds = seconds_;
    result.verified = ask(*children_[0], "verify", "verified");
    for (const auto& child : children_) {
      const auto history = directory_.file("history." + std::to_string(child->index()));
      const auto trace = directory_.file("trace." + std::to_string(child->index()));
      child->send("save " + history + " " + (settings_.trace_file.empty() ? "-" : trace));
      result.history_parts.push_back({.path = history});
      result.trace_parts.push_back(trace);
      result.statuses.push_back(child->status());
    }
    for (const auto& child : children_) {
      const auto saved = await(*child, "saved", kUntilAnswer);
      if (!saved.value("ok", false)) {
        throw Failure{kFailed, "a node could not write to " + directory_.path()};
      }
      result.history_parts[child->index()].full = saved.value("full", false);
    }
    result.judge(settings_);
    return result;
  }

  /// One after the other: each hands what it owns to those that are still there.
  void let_go() {
    while (!children_.empty()) {
      auto& child = *children_.back();
      child.send("quit");
      const auto until = Clock::now() + kUntilGone;
      while (child.end().empty() && Clock::now() < until) wait_for_news(milliseconds(50));
      if (child.end().empty()) display_.say(name_of(child) + " did not end by itself; killed");
      children_.pop_back();
    }
  }

  nlohmann::json ask(ChildNode& child, std::string_view command, std::string_view answer) {
    child.send(command);
    return await(child, answer, kUntilAnswer);
  }

  nlohmann::json await(ChildNode& child, std::string_view event, milliseconds patience) {
    const auto until = Clock::now() + patience;
    for (;;) {
      if (auto found = child.take(event)) return *found;
      if (Clock::now() >= until) {
        throw Failure{kFailed, name_of(child) + " has not answered for " +
                                   std::to_string(patience.count() / 1000) +
                                   " s (awaited: " + std::string(event) + ")"};
      }
      look_around(milliseconds(100));
    }
  }

  /// Waits for news and makes sure that everybody is well.
  void look_around(milliseconds at_most) {
    wait_for_news(at_most);
    if (stop_asked()) throw Failure{kFailed, "interrupted; the nodes are stopped, no verdict"};
    for (const auto& child : children_) {
      if (auto failed = child->take("failed")) {
        throw Failure{failed->value("code", int{kFailed}), failed->value("words", "")};
      }
      if (!child->end().empty()) throw Failure{kFailed, name_of(*child) + " " + child->end()};
    }
  }

  void wait_for_news(milliseconds at_most) {
    std::vector<pollfd> readable;
    for (const auto& child : children_) readable.push_back({child->fd(), POLLIN, 0});
    (void)::poll(readable.data(), readable.size(), static_cast<int>(at_most.count()));
    for (const auto& child : children_) child->look();
  }

  static std::string name_of(const ChildNode& child) {
    return "node " + std::to_string(child.index()) + " (process " + std::to_string(child.pid()) +
           ")";
  }

  const DemoSettings& settings_;
  const std::string cluster_ = "demo-" + std::to_string(::getpid());
  TemporaryDirectory directory_;
  DemoDisplay display_;
  std::vector<std::unique_ptr<ChildNode>> children_;
  double seconds_ = 0;
};

}  // namespace

int run_demo(const DemoSettings& settings) {
  const StopSignals signals([](void*) {}, nullptr);
  try {
    const auto result = Demo(settings).run();
    std::cout << (settings.json ? "" : result.words());
    if (settings.json) std::cout << result.to_json(settings) << std::endl;
    return result.exit_code();
  } catch (const Failure& failure) {
    std::cerr << "plurix demo: " << failure.words << "\n";
    return failure.code;
  } catch (const std::exception& error) {
    std::cerr << "plurix demo: " << error.what() << "\n";
    return kFailed;
  }
}

}  // namespace plurix::tool

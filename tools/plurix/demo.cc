#include "demo.h"

#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "demo_display.h"
#include "demo_verdict.h"
#include "exit_codes.h"
#include "node_fleet.h"
#include "stop_signals.h"
#include "temporary_directory.h"
#include "trace_file.h"

namespace plurix::tool {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class Demo {
 public:
  explicit Demo(const DemoSettings& settings)
      : settings_(settings), display_(settings.nodes, settings.json) {}

  DemoResult run() {
    start_nodes();
    fleet_.ask(fleet_.first(), "setup", "setup");
    work();
    DemoResult result = collect_and_judge();
    for (const auto& sentence : fleet_.let_go()) display_.say(sentence);
    return result;
  }

 private:
  NodeFleet::Place place_for(std::size_t index) const {
    std::vector<std::string> words = {"--workload",      settings_.workload,
                                      "--fault-source",  settings_.fault_source,
                                      "--strategy",      settings_.strategy,
                                      "--heap",          std::to_string(settings_.heap_bytes),
                                      "--drop",          std::to_string(settings_.drop_percent),
                                      "--seed",          std::to_string(settings_.seed + index),
                                      "--false-sharing", settings_.false_sharing,
                                      "--history-limit", std::to_string(settings_.history_limit)};
    if (!settings_.trace_file.empty()) words.push_back("--record-trace");
    return {.arguments = std::move(words), .log = {}};
  }

  void start_nodes() {
    std::vector<NodeFleet::Place> places;
    for (std::size_t i = 0; i < settings_.nodes; ++i) places.push_back(place_for(i));
    fleet_.start(places);
    display_.say("a cluster of " + std::to_string(settings_.nodes) + " processes at " +
                 fleet_.addresses().front() + " ff.: " + settings_.workload + " for " +
                 shortest(settings_.seconds) + " s");
  }

  static std::string shortest(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", number);
    return text;
  }

  void work() {
    for (const auto& node : fleet_.nodes()) node->send("start");
    const auto begin = Clock::now();
    const auto end = begin + milliseconds(static_cast<std::int64_t>(settings_.seconds * 1000));
    while (Clock::now() < end) {
      fleet_.look_around(
          std::min(milliseconds(100), std::chrono::ceil<milliseconds>(end - Clock::now())));
      display_.update(fleet_.nodes());
      tell_of_sharing();
    }
    fleet_.ask_all("stop", "stopped");
    tell_of_sharing();
    seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
    display_.finish(fleet_.nodes());
  }

  void tell_of_sharing() {
    for (const auto& node : fleet_.nodes()) {
      while (const auto found = node->take("sharing")) {
        display_.say(found->value("words", ""));
        sharing_.push_back(*found);
      }
    }
  }

  DemoResult collect_and_judge() {
    const bool traces = !settings_.trace_file.empty();
    DemoResult result{.seconds = seconds_,
                      .record = collect(fleet_, directory_.path(), {traces, settings_.verify}),
                      .verdict = {},
                      .sharing = sharing_};
    result.verdict = judge(result.record, settings_.history_file);
    if (traces) write_traces();
    return result;
  }

  void write_traces() const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < settings_.nodes; ++i) {
      parts.push_back(directory_.file("trace." + std::to_string(i)));
    }
    write_trace_file(settings_.trace_file, parts);
  }

  const DemoSettings& settings_;
  TemporaryDirectory directory_;
  DemoDisplay display_;
  NodeFleet fleet_{"demo-" + std::to_string(::getpid())};
  double seconds_ = 0;
  nlohmann::json sharing_ = nlohmann::json::array();
};

}  // namespace

int run_demo(const DemoSettings& settings) {
  const StopSignals signals([](void*) {}, nullptr);
  try {
    const auto result = Demo(settings).run();
    std::cout << (settings.json ? "" : result.words());
    if (settings.json) std::cout << result.to_json(settings) << std::endl;
    return result.exit_code();
  } catch (const FleetFailure& failure) {
    std::cerr << "plurix demo: " << failure.words << "\n";
    return failure.code;
  } catch (const std::exception& error) {
    std::cerr << "plurix demo: " << error.what() << "\n";
    return kFailed;
  }
}

}  // namespace plurix::tool

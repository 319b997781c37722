#include "demo.h"

#include <plurix/posix/monotonic_clock.h>

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <limits>
#include <optional>

#include "demo_display.h"
#include "demo_verdict.h"
#include "exit_codes.h"
#include "hub_process.h"
#include "machine_record.h"
#include "node_fleet.h"
#include "qemu_machine.h"
#include "stop_signals.h"
#include "temporary_directory.h"
#include "trace_file.h"

namespace plurix::tool {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Attempts a machine of 128 MiB records.
constexpr std::uint64_t kMostInRam = 100'000;

class Demo {
 public:
  explicit Demo(const DemoSettings& settings)
      : settings_(settings), display_(settings.nodes(), settings.json) {
    if (settings.on_segment()) hub_.emplace(directory_.file("segment"), hub_arguments());
    fleet_.emplace("demo-" + std::to_string(::getpid()), milliseconds(60'000),
                   hub_ ? "hub:" + hub_->path() : "");
  }

  DemoResult run() {
    start_nodes();
    fleet_->ask(fleet_->first(), "setup", "setup");
    work();
    DemoResult result = collect_and_judge();
    for (const auto& sentence : fleet_->let_go()) display_.say(sentence);
    return result;
  }

 private:
  // On a segment the hub loses frames, the same for processes and machines.
  std::vector<std::string> hub_arguments() const {
    std::vector<std::string> words = {"--drop",  std::to_string(settings_.drop_percent),
                                      "--seed",  std::to_string(settings_.seed),
                                      "--spray", std::to_string(settings_.spray_per_second)};
    if (!settings_.pcap_file.empty()) {
      words.insert(words.end(), {"--pcap", settings_.pcap_file});
    }
    return words;
  }

  NodeFleet::Place place_for(std::size_t index) const {
    return index < settings_.hosted ? process_for(index) : machine_for(index);
  }

  NodeFleet::Place process_for(std::size_t index) const {
    const auto drop = settings_.on_segment() ? 0 : settings_.drop_percent;
    std::vector<std::string> words = {"--workload",      settings_.workload,
                                      "--fault-source",  settings_.fault_source,
                                      "--strategy",      settings_.strategy,
                                      "--heap",          std::to_string(settings_.heap_bytes),
                                      "--drop",          std::to_string(drop),
                                      "--seed",          std::to_string(settings_.seed + index),
                                      "--false-sharing", settings_.false_sharing,
                                      "--history-limit", std::to_string(settings_.history_limit)};
    if (!settings_.trace_file.empty()) words.push_back("--record-trace");
    // Somebody must notice when a machine dies, and have what dies with it.
    if (settings_.machines > 0 && index == 0) {
      words.insert(words.end(), {"--dir", directory_.file("store"), "--image-every", "0.2"});
    }
    if (settings_.compact) words.push_back("--compact");
    return {.arguments = std::move(words), .log = {}};
  }

  NodeFleet::Place machine_for(std::size_t index) const {
    const std::vector<std::string> words = {
        "heap=" + std::to_string(settings_.heap_bytes),
        "seed=" + std::to_string(settings_.seed + index),
        "history=" + std::to_string(std::min<std::uint64_t>(settings_.history_limit, kMostInRam))};
    const auto kernel = settings_.kernel.empty() ? default_kernel() : settings_.kernel;
    return {.arguments = words,
            .log = {},
            .machine = QemuMachine{.kernel = kernel,
                                   .brings_heap = index == settings_.hosted,
                                   .hub = hub_->path(),
                                   .number = index,
                                   .history_file = history_part(index),
                                   .memory_file = {},
                                   .words = {}}};
  }

  std::string history_part(std::size_t index) const {
    return directory_.file("history." + std::to_string(index));
  }

  void start_nodes() {
    std::vector<NodeFleet::Place> places;
    for (std::size_t i = 0; i < settings_.nodes(); ++i) places.push_back(place_for(i));
    if (settings_.kill_machine) places.back().machine->memory_file = victims_memory();
    fleet_->start(places);
    display_.say("a cluster of " + who() + " at " + fleet_->addresses().front() +
                 " ff.: " + settings_.workload + " for " + shortest(settings_.seconds) + " s");
  }

  std::string who() const {
    const auto processes = std::to_string(settings_.hosted) + " processes";
    if (settings_.machines == 0) return processes;
    const std::string server = settings_.hosted == 0 ? "" : " (the first is the PageServer)";
    return processes + server + " and " + std::to_string(settings_.machines) + " QEMU machines";
  }

  static std::string shortest(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", number);
    return text;
  }

  void work() {
    for (const auto& node : fleet_->nodes()) node->send("start");
    const auto begin = Clock::now();
    const auto length = milliseconds(static_cast<std::int64_t>(settings_.seconds * 1000));
    if (settings_.kill_machine) {
      watch_until(begin + length / 3);
      kill_machine();
    }
    watch_until(std::max(begin + length, Clock::now() + length / 3));
    fleet_->ask_all("stop", "stopped");
    tell_of_sharing();
    seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
    display_.finish(fleet_->nodes());
  }

  void watch_until(Clock::time_point end) {
    while (Clock::now() < end) {
      fleet_->look_around(
          std::min(milliseconds(100), std::chrono::ceil<milliseconds>(end - Clock::now())));
      display_.update(fleet_->nodes());
      tell_of_sharing();
    }
  }

  std::string victims_memory() const { return directory_.file("memory"); }

  // In the middle of whatever it does: pages are gone, and perhaps the token. What it had recorded
  // is read out of what was its memory.
  void kill_machine() {
    const auto index = settings_.nodes() - 1;
    auto& machine = *fleet_->nodes()[index];
    demand_comparable(machine, fleet_->ask(machine, "compare", "compared"));
    watch_until(Clock::now() + milliseconds(150));
    const auto record_at = fleet_->ready(index).value("record", nlohmann::json::object());
    const auto killed_ns = posix::MonotonicClock().now().ns;
    fleet_->replace(index, machine_for(index));
    keep_record(index, record_at);
    display_.say(NodeFleet::name_of(*fleet_->nodes()[index]) +
                 " has taken the place of a machine that was killed at work");
    note_return(killed_ns);
    for (const auto& node : fleet_->nodes()) done_before_.push_back(node->status().committed);
    fleet_->nodes()[index]->send("start");
  }

  void keep_record(std::size_t index, const nlohmann::json& record_at) {
    const auto died_ns = posix::MonotonicClock().now().ns;
    const auto record = read_machine_record(victims_memory(), record_at, died_ns);
    killed_part_ = HistoryPart{.path = history_part(index) + ".killed", .full = record.full};
    write_history(killed_part_->path, record.history);
    killed_ = {{"node", index}, {"attempts", record.history.attempts.size()}};
  }

  /// Processes say when they work in the epoch behind a death.
  void note_return(std::int64_t killed_ns) {
    std::int64_t back_ns = killed_ns;
    for (std::size_t i = 0; i < settings_.hosted; ++i) {
      auto epoch = nlohmann::json::object();
      while (epoch.value("ns", std::int64_t{0}) < killed_ns) {
        epoch = fleet_->await(*fleet_->nodes()[i], "epoch");
      }
      back_ns = std::max(back_ns, epoch.value("ns", killed_ns));
      killed_["undone"] = killed_.value("undone", false) || undoes(epoch);
    }
    killed_["others_back_ms"] = static_cast<double>(back_ns - killed_ns) / 1e6;
  }

  /// By the node that has done least since.
  std::uint64_t fewest_commits_behind() const {
    auto fewest = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = 0; i < settings_.nodes(); ++i) {
      fewest = std::min(fewest, fleet_->nodes()[i]->status().committed - done_before_[i]);
    }
    return fewest;
  }

  static bool undoes(const nlohmann::json& epoch) {
    return epoch.value("rollbacks", 0) + epoch.value("expulsions", 0) > 0;
  }

  void tell_of_sharing() {
    for (const auto& node : fleet_->nodes()) {
      while (const auto found = node->take("sharing")) {
        display_.say(found->value("words", ""));
        sharing_.push_back(*found);
      }
    }
  }

  DemoResult collect_and_judge() {
    const bool traces = !settings_.trace_file.empty();
    DemoResult result{.seconds = seconds_,
                      .record = collect(*fleet_, directory_.path(), {traces, settings_.verify}),
                      .verdict = {},
                      .sharing = sharing_,
                      .hub = hub_ ? hub_->counters() : nlohmann::json(),
                      .killed = killed_};
    if (killed_part_) {
      result.record.history_parts.push_back(*killed_part_);
      result.killed["fewest_commits_behind"] = fewest_commits_behind();
    }
    result.verdict = judge(result.record, settings_.history_file);
    if (traces) write_traces();
    return result;
  }

  void write_traces() const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < settings_.nodes(); ++i) {
      parts.push_back(directory_.file("trace." + std::to_string(i)));
    }
    write_trace_file(settings_.trace_file, parts);
  }

  const DemoSettings& settings_;
  TemporaryDirectory directory_;
  DemoDisplay display_;
  std::optional<HubProcess> hub_;  // outlives the nodes that talk through it
  std::optional<NodeFleet> fleet_;
  std::optional<HistoryPart> killed_part_;
  nlohmann::json killed_;                   ///< the machine, and what became of the others
  std::vector<std::uint64_t> done_before_;  ///< commits of each node before the killed one is back
  double seconds_ = 0;
  nlohmann::json sharing_ = nlohmann::json::array();
};

}  // namespace

std::string why_not_together(const DemoSettings& settings) {
  if (settings.nodes() == 0) return "a cluster has a node; choose --nodes or --qemu";
  if (settings.nodes() > kMaxNodes) return "a cluster has at most 64 nodes";
  if (!settings.on_segment() && (!settings.pcap_file.empty() || settings.spray_per_second > 0)) {
    return "--pcap and --spray need a hub: --transport segment";
  }
  if (settings.kill_machine && (settings.machines < 2 || settings.hosted == 0)) {
    return "--kill-machine needs two machines (--qemu 2), since with the only one the kernel in "
           "the "
           "heap would die, and a process that notices (--hosted)";
  }
  if (settings.machines == 0) return {};
  if (settings.workload != "bank" || settings.strategy != "fair") {
    return "machines do the workload bank with the strategy fair";
  }
  return settings.trace_file.empty() ? "" : "machines record no --trace";
}

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

#include "torture.h"

#include <malloc.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "demo_display.h"
#include "exit_codes.h"
#include "node_fleet.h"
#include "node_settings.h"
#include "process_pauser.h"
#include "progress_watch.h"
#include "run_verdict.h"
#include "stop_signals.h"
#include "temporary_directory.h"
#include "torture_counts.h"

namespace plurix::tool {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Attempts recorded by one node in one round; the round ends long before, because a node that
/// commits without pause does most of this between two looks.
constexpr std::uint64_t kHistoryLimit = 300'000;
/// Datagrams from outside, each look.
constexpr std::size_t kSpray = 8;
constexpr milliseconds kLook{4};
/// More than this is no warm-up any more. Measured: a node's tables and ring buffers fill by less
/// than half of it.
constexpr std::int64_t kNodeGrowthLimit = 8 << 20;
constexpr std::int64_t kParentGrowthLimit = 64 << 20;
/// A sanitizer keeps what was freed, to notice who still uses it: growth says nothing there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kKeepsFreedMemory = true;
#else
constexpr bool kKeepsFreedMemory = false;
#endif

Clock::duration seconds(double count) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
}

class Torture {
 public:
  explicit Torture(const TortureSettings& settings)
      : settings_(settings), menu_(*TortureMenu::parse(settings.faults)), sprayer_(settings.seed) {}

  int run() {
    try {
      for (auto fleet = settings_.first_fleet; counts_.rounds == 0 || !over(); ++fleet) {
        run_fleet(fleet);
        watch_parent();
      }
      verdict_ = "right: no violation, no stuck node, flat memory";
    } catch (const FleetFailure& failure) {
      exit_code_ = failure.code;
      verdict_ = "WRONG: " + failure.words;
    }
    conclude();
    return exit_code_;
  }

 private:
  bool over() const {
    if (stop_asked()) return true;
    if (settings_.transactions != 0 && counts_.committed >= settings_.transactions) return true;
    return Clock::now() - begin_ >= seconds(settings_.minutes * 60);
  }

  Clock::duration patience() const { return seconds(settings_.patience_seconds); }

  NodeFleet::Place place_for(const FleetPlan& plan, std::size_t index) const {
    const auto& node = plan.nodes[index];
    std::vector<std::string> words = {"--workload",      kNoWorkload,
                                      "--fault-source",  node.fault_source,
                                      "--receive",       node.receive,
                                      "--strategy",      plan.strategy,
                                      "--seed",          std::to_string(node.seed),
                                      "--history-limit", std::to_string(kHistoryLimit)};
    for (const auto& fault : kNetFaults) {
      words.push_back(std::string("--") + fault.option);
      words.push_back(std::to_string(node.faults.*fault.percent));
    }
    if (menu_.hostile) words.insert(words.end(), {"--tap", sprayer_.listener()});
    return {.arguments = std::move(words), .log = directory_.file("log." + std::to_string(index))};
  }

  void run_fleet(std::size_t number) {
    fleet_number_ = number;
    const auto plan = plan_fleet(settings_, number);
    // One name for all: what strangers replay comes from an earlier founding of the same cluster.
    NodeFleet fleet("torture-" + std::to_string(::getpid()),
                    std::chrono::duration_cast<milliseconds>(patience() * 2));
    try {
      start(fleet, plan);
      work_through(fleet, plan);
      end(fleet);
    } catch (const FleetFailure&) {
      if (!stop_asked()) keep_evidence(fleet);
      throw;
    }
  }

  void start(NodeFleet& fleet, const FleetPlan& plan) {
    ++counts_.fleets;
    std::vector<NodeFleet::Place> places;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) places.push_back(place_for(plan, i));
    fleet.start(places);
    for (const auto& kind : fleet.kinds()) ++counts_.by_kind[kind];
    sprayer_.aim_at(fleet.addresses());
  }

  void work_through(NodeFleet& fleet, const FleetPlan& plan) {
    Prng prng(plan.seed);
    warm_.clear();
    for (std::size_t i = 0; i < plan.workloads.size(); ++i) {
      fleet.ask_all("workload " + plan.workloads[i], "workload");
      if (i == 1) warm_ = memory_of(fleet);
      do_round(fleet, plan, plan.workloads[i], prng.next());
      if (counts_.fleets > 1 && over()) break;  // the first fleet does every workload
    }
    fleet.ask_all(std::string("workload ") + kNoWorkload, "workload");
    if (warm_.empty()) warm_ = memory_of(fleet);
    watch_nodes(fleet);
  }

  void do_round(NodeFleet& fleet, const FleetPlan& plan, const std::string& workload,
                std::uint64_t seed) {
    fleet.ask(fleet.first(), "setup", "setup");
    work(fleet, seed);
    fleet.ask_all("stop", "stopped");
    const auto record = collect(fleet, directory_.path(), {});
    const auto verdict = judge(record, "");
    counts_.add_round(workload, record, verdict, plan.strategy == "fair");
    say_round(fleet, workload);
    if (verdict.ok()) return;
    (void)judge(record, directory_.file("history.jsonl"));
    auto words = workload + ": ";
    if (!verdict.invariant) words += verdict.invariant_words + "\n";
    if (!verdict.report.ok()) words += history::to_words(verdict.report);
    throw FleetFailure{kViolation, words};
  }

  void work(NodeFleet& fleet, std::uint64_t seed) {
    for (const auto& node : fleet.nodes()) node->send("start");
    ProgressWatch progress(fleet, patience());
    ProcessPauser pauser(fleet, seed);
    const auto end = Clock::now() + seconds(settings_.round_seconds);
    while (Clock::now() < end && !nearly_full(fleet)) {
      fleet.look_around(kLook);
      if (menu_.pause) pauser.look();
      if (menu_.hostile) sprayer_.spray(kSpray);
      if (const auto stuck = progress.look(fleet)) fail_stuck(*fleet.nodes()[*stuck]);
    }
    // A round without progress must not be saved by its end.
    while (!progress.all_have_moved()) {
      fleet.look_around(kLook);
      pauser.finish();
      if (const auto stuck = progress.look(fleet)) fail_stuck(*fleet.nodes()[*stuck]);
    }
    counts_.pauses += pauser.pauses();
  }

  static bool nearly_full(const NodeFleet& fleet) {
    for (const auto& node : fleet.nodes()) {
      const auto& status = node->status();
      if (status.committed + status.cancelled + status.aborted > kHistoryLimit / 10 * 4) {
        return true;
      }
    }
    return false;
  }

  [[noreturn]] void fail_stuck(const ChildNode& node) {
    ++counts_.stuck_nodes;
    throw FleetFailure{kFailed, NodeFleet::name_of(node) + " is stuck: no transaction for " +
                                    std::to_string(static_cast<int>(settings_.patience_seconds)) +
                                    " s"};
  }

  void end(NodeFleet& fleet) {
    counts_.hostile = sprayer_.counters();
    const auto wrong = fleet.let_go();
    if (!wrong.empty()) throw FleetFailure{kFailed, wrong.front()};
  }

  static std::vector<std::uint64_t> memory_of(const NodeFleet& fleet) {
    std::vector<std::uint64_t> bytes;
    for (const auto& node : fleet.nodes()) bytes.push_back(own_bytes(node->pid()));
    return bytes;
  }

  void watch_nodes(NodeFleet& fleet) {
    auto& memory = counts_.memory;
    const auto now = memory_of(fleet);
    for (std::size_t i = 0; i < now.size(); ++i) {
      const auto growth = static_cast<std::int64_t>(now[i] - warm_[i]);
      memory.node_warm = std::max(memory.node_warm, warm_[i]);
      memory.node_end = std::max(memory.node_end, now[i]);
      memory.node_growth = std::max(memory.node_growth, growth);
      counts_.add_node(fleet.nodes()[i]->status());
      if (growth > kNodeGrowthLimit && !kKeepsFreedMemory) {
        throw FleetFailure{kFailed, NodeFleet::name_of(*fleet.nodes()[i]) + " has grown by " +
                                        megabytes(growth) + " since its first round"};
      }
    }
  }

  void watch_parent() {
    auto& memory = counts_.memory;
    ::malloc_trim(0);  // histories have come and gone
    memory.parent_end = own_bytes(::getpid());
    if (memory.parent_warm == 0) memory.parent_warm = memory.parent_end;
    if (memory.parent_growth() > kParentGrowthLimit && !kKeepsFreedMemory) {
      throw FleetFailure{kFailed, "this process has grown by " + megabytes(memory.parent_growth()) +
                                      " since its first fleet"};
    }
  }

  /// States of the nodes, what they recorded, what they said: all that can still be had.
  void keep_evidence(NodeFleet& fleet) {
    directory_.keep();
    evidence_ = true;
    for (const auto& node : fleet.nodes()) {
      if (!node->end().empty()) continue;
      ::kill(node->pid(), SIGCONT);
      ::kill(node->pid(), SIGUSR2);
    }
    listen(fleet, milliseconds(500));
    std::ofstream states(directory_.file("states.jsonl"));
    for (const auto& node : fleet.nodes()) {
      if (const auto state = node->take("state")) states << state->dump() << "\n";
    }
    if (exists("history.jsonl")) return;
    // The second one ends the waits of a node, too; then it obeys.
    for (int i = 0; i < 2; ++i) {
      for (const auto& node : fleet.nodes()) {
        if (node->end().empty()) ::kill(node->pid(), SIGTERM);
      }
      listen(fleet, milliseconds(200));
    }
    for (const auto& node : fleet.nodes()) {
      node->send("save " + directory_.file("history." + std::to_string(node->index())) + " -");
    }
    listen(fleet, milliseconds(3'000));
  }

  static void listen(NodeFleet& fleet, milliseconds time) {
    for (const auto until = Clock::now() + time; Clock::now() < until;) {
      fleet.wait_for_news(milliseconds(50));
    }
  }

  bool exists(const std::string& name) const {
    return ::access(directory_.file(name).c_str(), F_OK) == 0;
  }

  void say_round(const NodeFleet& fleet, const std::string& workload) const {
    std::uint64_t largest = 0;
    for (const auto bytes : memory_of(fleet)) largest = std::max(largest, bytes);
    std::uint64_t faults = counts_.net_faults() + counts_.pauses + sprayer_.counters().sent();
    for (const auto& node : fleet.nodes()) {
      for (const auto& fault : kNetFaults) faults += node->status().net_faults.*fault.count;
    }
    const bool live = ::isatty(STDERR_FILENO) == 1;
    std::fprintf(stderr, "%sfleet %zu round %s (%s): %s transactions, %s aborts, %s faults, %s%s",
                 live ? "\r\x1b[K" : "", fleet_number_, with_separators(counts_.rounds).c_str(),
                 workload.c_str(), with_separators(counts_.committed).c_str(),
                 with_separators(counts_.aborted).c_str(), with_separators(faults).c_str(),
                 megabytes(static_cast<std::int64_t>(largest)).c_str(), live ? "" : "\n");
  }

  std::string replay_command() const {
    char text[256];
    std::snprintf(text, sizeof text,
                  "plurix torture --seed %llu --first-fleet %zu --nodes %zu --minutes %g "
                  "--round-seconds %g --faults %s --workload %s",
                  static_cast<unsigned long long>(settings_.seed), fleet_number_, settings_.nodes,
                  settings_.minutes, settings_.round_seconds, settings_.faults.c_str(),
                  settings_.workload.c_str());
    return text;
  }

  std::string evidence_words() const {
    const auto& path = directory_.path();
    std::string words = "kept: " + path +
                        " (log.N: what node N said; states.jsonl: where it stood; "
                        "history.N: what it recorded)\n";
    if (exists("history.jsonl")) words += "check:  plurix check " + path + "/history.jsonl\n";
    return words + "replay: " + replay_command() + "\n";
  }

  void conclude() {
    counts_.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    counts_.hostile = sprayer_.counters();
    if (::isatty(STDERR_FILENO) == 1) std::fputs("\n", stderr);
    if (exit_code_ != kDone) {
      std::cerr << "plurix torture: " << verdict_ << "\n" << (evidence_ ? evidence_words() : "");
    }
    if (settings_.json) {
      std::cout << counts_.to_json(settings_, exit_code_, verdict_) << std::endl;
    } else {
      std::cout << counts_.words() << verdict_ << "\n";
    }
  }

  const TortureSettings& settings_;
  const TortureMenu menu_;
  const Clock::time_point begin_ = Clock::now();
  TemporaryDirectory directory_;
  HostileSprayer sprayer_;
  TortureCounts counts_;
  std::vector<std::uint64_t> warm_;  ///< memory of the nodes after the first round
  std::size_t fleet_number_ = 0;
  int exit_code_ = kDone;
  bool evidence_ = false;
  std::string verdict_;
};

}  // namespace

int run_torture(const TortureSettings& settings) { return Torture(settings).run(); }

}  // namespace plurix::tool

// NodeRunner: one node running one workload, by hand or on command (control.h).
#pragma once

#include <plurix/gc/compactor.h>
#include <plurix/gc/false_sharing_monitor.h>
#include <plurix/history/json_lines.h>
#include <plurix/posix/node.h>

#include <malloc.h>
#include <unistd.h>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "control.h"
#include "counters_json.h"
#include "exit_codes.h"
#include "heap_filler.h"
#include "net_faults.h"
#include "node_settings.h"
#include "page_server_host.h"
#include "screen_commands.h"
#include "sharing_words.h"
#include "state_report.h"
#include "state_signal.h"
#include "stop_signals.h"
#include "tool_link.h"
#include "tool_transport.h"
#include "trace_ring.h"
#include "workloads/all.h"
#include "workloads/owned_collector.h"

namespace plurix::tool {

template <CommitStrategy Strategy, class Trace>
using ToolNode = posix::BasicNode<Strategy, Trace, ToolTransport, ToolLink>;

/// Nothing to do: the node only serves.
struct Idle {
  static constexpr std::string_view kName = kNoWorkload;
  static std::string key_name(std::uint64_t) { return {}; }
  template <class Node>
  void setup(Node&, workloads::Recorder&) {}
  template <class Node>
  Status step(Node& node, workloads::Recorder&, Prng&) {
    node.serve(node.now() + milliseconds(1));
    return node.stopped() ? Status::kUnknown : Status::kCommitted;
  }
  template <class Node>
  workloads::Verification verify(Node&) {
    return {.ok = true, .words = "there was nothing to do"};
  }
};

template <class Node, class Workload>
class NodeRunner {
 public:
  NodeRunner(Node& node, PageServerHost<Node>& images, const NodeSettings& settings)
      : node_(node),
        images_(images),
        settings_(settings),
        recorder_(node.incarnation(), {.attempts = wanted_attempts(settings)}, Workload::key_name,
                  settings.record_file),
        prng_(mix(settings.seed, node.id())),
        collector_(node),
        monitor_(settings.false_sharing == "dissolve" ? gc::SharingPolicy::kDissolve
                                                      : gc::SharingPolicy::kReport) {
    if (settings.false_sharing != "off") monitor_.attach(node);
    node.wrapper().note_commits_in(&recorder_.sent());
    note_epochs();
  }
  ~NodeRunner() { node_.wrapper().note_commits_in(nullptr); }
  NodeRunner(const NodeRunner&) = delete;
  NodeRunner& operator=(const NodeRunner&) = delete;

  /// Says who this node is, before its first workload.
  void say_ready() {
    if (!settings_.control && !settings_.json) {
      std::printf("node %u of \"%s\" at %s (faults: %s; %s)\n", node_.id(),
                  settings_.node.cluster.c_str(), node_.address().c_str(),
                  std::string(to_string(node_.fault_source().kind())).c_str(),
                  node_.fault_source().reason().c_str());
      std::fflush(stdout);
      return;
    }
    say({{"event", "ready"},
         {"node", node_.id()},
         {"address", node_.address()},
         {"fault_source", to_string(node_.fault_source().kind())},
         {"receive", node_.link().kind()},
         {"incarnation", node_.incarnation()}});
  }

  /// Says that a further workload is there to be commanded.
  void say_workload() { say({{"event", "workload"}, {"name", std::string(Workload::kName)}}); }

  /// Runs the workload until time or Ctrl-C ends it, telling how it goes each second.
  int run_by_hand() {
    workload_.setup(node_, recorder_);
    const auto end = settings_.seconds > 0 ? node_.now() + seconds(settings_.seconds) : kNever;
    run_until([&] { return stop_asked() || node_.now() >= end; }, milliseconds(1000));
    say_status("ended");
    if (settings_.verify && !say_verification(false)) return kViolation;
    if (settings_.history_file.empty() && settings_.trace_file.empty()) return kDone;
    return save(settings_.history_file, settings_.trace_file) ? kDone : kFailed;
  }

  /// Does what the lines on stdin say until `quit`, until nobody is there to say more, or until
  /// another workload is wanted, whose name it leaves in `next`.
  int run_on_command(std::string& next) {
    for (;;) {
      const auto line = input_.next();
      if (!line) {
        if (input_.closed()) return kFailed;
        // Stopped by force: somebody may still want what was recorded.
        if (node_.stopped() && !input_.wait(kLastWordsMs)) return kFailed;
        if (node_.stopped() || !collector_->collect()) {
          node_.serve(node_.now() + milliseconds(images_.exists() ? 1 : 2));
        }
        look_at_epoch();
        images_.tick();
        continue;
      }
      if (*line == "quit") return kDone;
      if (line->starts_with(kWorkloadCommand)) {
        next = line->substr(kWorkloadCommand.size());
        return kUsage;  // if there is no workload of that name
      }
      obey(*line);
    }
  }

 private:
  static constexpr std::string_view kWorkloadCommand = "workload ";
  static constexpr std::string_view kCutCommand = "cut ";
  static constexpr std::string_view kFillCommand = "fill ";
  static constexpr int kLastWordsMs = 2'000;
  static constexpr std::uint32_t kStepsBetween = 16;  ///< two of the collector
  static constexpr double kImagePatience = 30;

  static std::size_t wanted_attempts(const NodeSettings& settings) {
    const bool wanted = settings.control || !settings.history_file.empty();
    return wanted ? settings.history_limit : 0;
  }

  static Duration seconds(double count) noexcept {
    return {static_cast<std::int64_t>(count * 1e9)};
  }

  void obey(const std::string& line) {
    if (line == "setup") {
      workload_.setup(node_, recorder_);
      say({{"event", "setup"}});
    } else if (line == "start") {
      run_until([this] { return stop_commanded(); }, milliseconds(200));
      say_status("stopped");
    } else if (line == "collect") {
      collector_.collect_all(node_);
      say_collected();
    } else if (line.starts_with(kFillCommand)) {
      fill_heap(node_, std::atoi(line.c_str() + kFillCommand.size()));
      say({{"event", "filled"}});
    } else if (line == "checkpoint") {
      const bool ok = images_.take_now(seconds(kImagePatience));
      auto answer = images_.to_json();
      answer["event"] = "checkpointed";
      answer["ok"] = ok;
      say(answer);
    } else if (line == "verify" || line == "verify heap") {
      say_verification(line != "verify");
    } else if (line == "screen") {
      say(read_screen(node_));
    } else if (line.starts_with("write ")) {
      say(write_screen(node_, line.substr(6)));
    } else if (line.starts_with("save ")) {
      const auto split = line.find(' ', 5);
      save(path_in(line.substr(5, split - 5)), path_in(line.substr(split + 1)));
    }
  }

  /// "cut MS": the network is cut around this node for so long.
  void cut_off(const std::string& line) {
    const auto time = milliseconds(std::atoll(line.c_str() + kCutCommand.size()));
    node_.wrapper().cut_until(node_.now() + time);
  }

  static std::string path_in(const std::string& word) { return word == "-" ? "" : word; }

  bool stop_commanded() {
    const auto line = input_.next();
    if (line && line->starts_with(kCutCommand)) cut_off(*line);
    return input_.closed() || (line && *line == "stop");
  }

  template <class Ended>
  void run_until(Ended ended, Duration status_interval) {
    auto next_look = node_.now();
    auto next_status = node_.now() + status_interval;
    for (;;) {
      if (workload_.step(node_, recorder_, prng_) == Status::kUnknown) return;
      if (const auto report = monitor_.relieve(node_)) say_sharing(*report);
      if (++steps_ % kStepsBetween == 0) {
        (void)collector_->collect(gc::Occasion::kBetweenTransactions);
      }
      const auto now = node_.now();
      look_at_epoch();
      images_.tick();
      if (now < next_look) continue;
      next_look = now + milliseconds(10);
      if (settings_.compact) (void)compactor_.step(node_);
      if (ended()) return;
      if (now < next_status) continue;
      next_status = now + status_interval;
      say_status("status");
    }
  }

  /// Each epoch that this node was in from its begin: what it undid belongs to the history. Who
  /// joins an epoch does not know what it began from.
  void note_epochs() {
    for (const auto& begun : node_.protocol().core().undone.epochs()) {
      if (begun.epoch <= noted_) continue;
      recorder_.add_rollback({begun.epoch, begun.start.value, node_.now().ns});
      noted_ = begun.epoch;
    }
  }

  void look_at_epoch() {
    const auto& core = node_.protocol().core();
    recorder_.note_durable(core);
    if (core.counters.epochs_opened != opened_) say_noticed();
    if (core.epoch == epoch_ || core.epoch == 0) return;
    note_epochs();
    epoch_ = core.epoch;
    if (!settings_.control) return;
    say({{"event", "epoch"},
         {"epoch", core.epoch},
         {"start", core.epoch_start.value},
         {"commit_time", core.applied.value},
         {"rollbacks", core.counters.rollbacks},
         {"expulsions", core.counters.expulsions},
         {"ns", node_.now().ns}});
  }

  /// The PageServer misses somebody.
  void say_noticed() {
    opened_ = node_.protocol().core().counters.epochs_opened;
    if (settings_.control) say({{"event", "noticed"}, {"ns", node_.now().ns}});
  }

  void say(const nlohmann::ordered_json& line) { (void)write_line(STDOUT_FILENO, line.dump()); }

  void say_status(const char* event) {
    const auto& counts = recorder_.counts();
    const auto& core = node_.protocol().core().counters;
    nlohmann::ordered_json status = {
        {"event", event},
        {"node", node_.id()},
        {"ns", node_.now().ns},
        {"committed", counts.committed},
        {"read_only", counts.read_only},
        {"aborted", counts.aborted},
        {"cancelled", counts.cancelled},
        {"unknown", counts.unknown},
        {"effects", counts.effects},
        {"page_fetches", core.fetches},
        {"commit_time", node_.commit_time().value},
        {"most_restarts", node_.counters().most_restarts},
        {"dropped", node_.wrapper().counters().dropped},
        {"net_faults", to_json(node_.wrapper().counters())},
    };
    if (event != std::string_view("status")) status["protocol"] = to_json(core);
    if (images_.exists()) status["images"] = images_.to_json();
    if (settings_.control || settings_.json) return say(status);
    std::printf("node %u: %llu committed, %llu aborted, %llu page fetches, commit time %llu\n",
                node_.id(), static_cast<unsigned long long>(counts.committed),
                static_cast<unsigned long long>(counts.aborted),
                static_cast<unsigned long long>(core.fetches),
                static_cast<unsigned long long>(node_.commit_time().value));
    std::fflush(stdout);
  }

  void say_collected() {
    const auto& counters = collector_->collector().counters();
    say({{"event", "collected"},
         {"steps", collector_->counters().steps},
         {"gave_way", collector_->counters().gave_way},
         {"longest_us", collector_->counters().longest.ns / 1000},
         {"candidates", counters.candidates},
         {"alive", counters.alive},
         {"freed", counters.freed},
         {"cycles", counters.cycles},
         {"trials_freed", counters.trials_freed},
         {"trials_failed", counters.trials_failed}});
  }

  void say_sharing(const gc::SharingReport& report) {
    const auto outcome = node_.read_only(Freshness::kSnapshot,
                                         [&](Transaction& t) { return sharing_line(t, report); });
    if (!outcome.committed()) return;
    if (settings_.control || settings_.json) return say(*outcome.value);
    std::printf("%s\n", outcome.value->value("words", "").c_str());
    std::fflush(stdout);
  }

  bool say_verification(bool whole_heap) {
    auto found = workload_.verify(node_);
    if (whole_heap) workloads::add_heap_verification(node_, found);
    nlohmann::ordered_json numbers = nlohmann::ordered_json::object();
    for (const auto& [name, value] : found.numbers) numbers[name] = value;
    nlohmann::ordered_json line = {
        {"event", "verified"}, {"ok", found.ok}, {"words", found.words}, {"numbers", numbers}};
    if (found.counts_effects) line["effects"] = found.effects;
    say(line);
    return found.ok;
  }

  bool save(const std::string& history, const std::string& trace) {
    const bool ok =
        (history.empty() || save_history(history)) && (trace.empty() || save_trace(trace));
    if (settings_.control) {
      say({{"event", "saved"},
           {"ok", ok},
           {"attempts", recorder_.filed()},
           {"full", recorder_.full()}});
    } else if (!ok) {
      std::fprintf(stderr, "plurix %s: the history or the trace could not be written\n",
                   settings_.command);
    }
    return ok;
  }

  bool save_history(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "we");
    if (file == nullptr) return false;
    bool ok = false;
    {
      history::LineWriter writer(file);
      recorder_.for_each([&](const history::Attempt& attempt) { writer.write(attempt); });
      for (const auto& rollback : recorder_.rollbacks()) writer.write(rollback);
      ok = writer.flush();
    }
    return std::fclose(file) == 0 && ok;
  }

  bool save_trace(const std::string& path) {
    if constexpr (requires { node_.trace().write(nullptr); }) {
      std::FILE* file = std::fopen(path.c_str(), "we");
      if (file == nullptr) return false;
      const bool ok = node_.trace().write(file);
      return std::fclose(file) == 0 && ok;
    }
    return false;
  }

  Node& node_;
  PageServerHost<Node>& images_;
  const NodeSettings& settings_;
  Epoch epoch_ = node_.protocol().core().epoch;
  std::uint64_t opened_ = node_.protocol().core().counters.epochs_opened;
  Epoch noted_ = 0;  ///< epochs up to this one are in the history
  workloads::Recorder recorder_;
  Workload workload_;
  Prng prng_;
  workloads::OwnedCollector<Node> collector_;
  std::uint32_t steps_ = 0;
  gc::FalseSharingMonitor monitor_;
  gc::Compactor compactor_;
  LineInput input_{STDIN_FILENO};
};

/// Calls `use(workload)`; false if there is no such workload.
template <class Use>
bool with_workload_or_none(const std::string& name, Use use) {
  if (name != kNoWorkload) return workloads::with_workload(name, use);
  use(Idle{});
  return true;
}

/// Runs one workload after the other, as commanded, on one node.
template <class Node>
int run_workloads(Node& node, PageServerHost<Node>& images, const NodeSettings& settings) {
  int exit_code = kUsage;
  bool first = true;
  for (std::string name = settings.workload; !name.empty();) {
    const bool known = with_workload_or_none(name, [&](auto workload) {
      NodeRunner<Node, decltype(workload)> runner(node, images, settings);
      first ? runner.say_ready() : runner.say_workload();
      name.clear();
      exit_code = settings.control ? runner.run_on_command(name) : runner.run_by_hand();
    });
    if (!known) return kUsage;
    first = false;
    ::malloc_trim(0);  // what a node needs from here on can be compared with what it needed before
  }
  // What is not in an image when the last node goes is lost.
  if (images.exists() && !node.stopped()) (void)images.take_now(milliseconds(5'000));
  return exit_code;
}

/// The faults asked for, with the clock and the seed of this node.
inline sim::FaultOptions complete(sim::FaultOptions faults, std::uint64_t seed) {
  faults.now = []() noexcept { return posix::MonotonicClock().now(); };
  faults.seed = seed;
  return faults;
}

template <class Node>
int run_with_settings(const NodeSettings& settings) {
  OpenStore store(settings);
  Node node(store.options(settings.node), complete(settings.faults, settings.seed), settings.tap);
  PageServerHost<Node> images(node, store, settings);
  const StopSignals signals([](void* self) { static_cast<Node*>(self)->stop(); }, &node);
  const StateSignal state([](void* self) { report_state(*static_cast<Node*>(self)); }, &node);
  const auto exit_code = run_workloads(node, images, settings);
  images.leave();
  return exit_code;
}

template <CommitStrategy Strategy>
int run_with_strategy(const NodeSettings& settings) {
  if (settings.trace || !settings.trace_file.empty()) {
    return run_with_settings<ToolNode<Strategy, TraceRing>>(settings);
  }
  return run_with_settings<ToolNode<Strategy, NullTraceSink>>(settings);
}

}  // namespace plurix::tool

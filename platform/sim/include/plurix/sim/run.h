// One simulated run from start to verdict: a program under a fault schedule, every invariant
// checked after every slice, the history checked at the end, and the counters of what happened.
#pragma once

#include <plurix/history/check_all.h>
#include <plurix/history/restarts.h>
#include <plurix/sim/cluster.h>
#include <plurix/sim/fault_schedule.h>
#include <plurix/sim/program.h>

#include <optional>
#include <string>

namespace plurix::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  FaultSchedule faults;
  NodeConfig node;  ///< sizes and intervals
  std::uint32_t heap_pages = 64;
  Duration time_limit = milliseconds(60'000);
  std::size_t keep_events = 0;  ///< how many of the newest events the result shall have
};

/// Small enough for every rare path to be taken: packets of two pages, a log of a few commits.
inline NodeConfig stressful_config() {
  NodeConfig config;
  config.core.words_per_packet = 2;
  config.core.shadow_pages = 24;
  config.core.log_records = 64;
  config.core.log_words = 256;
  return config;
}

struct RunResult {
  std::optional<std::string> violation;  ///< in words; what DESIGN section 3 forbids
  history::History history;
  CoreCounters counters;  ///< of all nodes together
  NetworkCounters network;
  FaultCounts faults{};
  RunTrace trace;
  std::uint64_t digest = 0;
  std::uint64_t events = 0;
  std::uint64_t rejoins = 0;
  std::uint64_t crashes = 0;
  std::uint64_t image_pages_compared = 0;  ///< with what their owners had
  std::uint64_t committed = 0;
  std::uint64_t aborted = 0;
  std::uint32_t most_restarts = 0;  ///< of one transaction
  Duration length;                  ///< simulated
};

/// Quick to notice a death, as simulated networks are quick; slower than the pauses and partitions
/// that are meant to be survived.
inline void watch_closely(CoreConfig& config) {
  config.beacon = milliseconds(1);
  config.lease = milliseconds(4);
  config.suspect_after = milliseconds(12);
  config.recovery_retry = milliseconds(1);
}

/// A history is strictly serializable if every check over it passes.
inline bool strictly_serializable(const history::History& history) {
  return history::check_all(history).ok();
}

/// Fewer than a PageServer tries again in a row, or it would give up.
inline constexpr std::uint64_t kFailingOperations = 12;

/// In every other run the PageServer hears what the others say to each other.
constexpr bool overhears(std::uint64_t seed) noexcept { return seed % 2 == 1; }

/// Puts the timed faults into the cluster's future, where they are counted in `counts`. Times count
/// from now; what would begin after the programs have ended does not happen.
template <class ClusterType>
void plan_faults(ClusterType& cluster, const FaultSchedule& schedule, FaultCounts& counts) {
  cluster.network().remember_frames();
  const auto nodes = static_cast<std::uint32_t>(cluster.size());
  for (const auto& fault : schedule.timed) {
    if (fault.node >= nodes || fault.other >= nodes) continue;
    const auto set = [&cluster, &counts, fault, nodes](bool on) {
      if (on && cluster.faults_are_over()) return;
      if (on) ++counts[static_cast<std::size_t>(fault.kind)];
      auto& network = cluster.network();
      const auto port = [&](std::uint32_t node) { return cluster.machine(node).port(); };
      switch (fault.kind) {
        case FaultKind::kCut:
          network.cut(port(fault.node), port(fault.other), on);
          break;
        case FaultKind::kIsolate:
          for (std::uint32_t i = 0; i < nodes; ++i) {
            network.cut(port(fault.node), port(i), on);
            network.cut(port(i), port(fault.node), on);
          }
          break;
        case FaultKind::kPause:
          cluster.machine(fault.node).freeze(on);
          break;
        case FaultKind::kCrash:
          if (on) cluster.crash(fault.node, microseconds(fault.for_us));
          break;
        case FaultKind::kReplay:
          if (on) network.replay(port(fault.node), 64);
          break;
        case FaultKind::kGarbage:
          if (on) network.send_garbage(port(fault.node), 64);
          break;
        case FaultKind::kDisk:
          if (on) cluster.disk().fail_next(kFailingOperations, BlockError::kDevice);
          break;
        case FaultKind::kClock:
          cluster.machine(fault.node).set_clock_speed(on ? fault.speed : 1000);
          break;
      }
    };
    const auto start = cluster.scheduler().now() + microseconds(fault.at_us);
    cluster.scheduler().at(start, [set] { set(true); });
    cluster.scheduler().at(start + microseconds(fault.for_us), [set] { set(false); });
  }
}

template <CommitStrategy Strategy = Fair, template <class> class Wrapper = Bare>
RunResult run(const Program& program, const RunOptions& options, Strategy strategy = {}) {
  ClusterOptions cluster_options;
  cluster_options.nodes = program.nodes.size();
  cluster_options.seed = options.seed;
  cluster_options.heap_pages = options.heap_pages;
  cluster_options.faults = options.faults.links;
  cluster_options.node = options.node;
  cluster_options.time_limit = options.time_limit;
  cluster_options.page_server = options.faults.has_crash();
  if (cluster_options.page_server) watch_closely(cluster_options.node.core);
  const bool takes_images = cluster_options.page_server && options.faults.has_disk();
  if (takes_images) cluster_options.image_interval = milliseconds(3);
  cluster_options.shared_cable = takes_images && overhears(options.seed);
  Cluster<Strategy, Wrapper> cluster(cluster_options, strategy);
  RunResult result;
  plan_faults(cluster, options.faults, result.faults);
  cluster.trace().keep = options.keep_events;
  std::vector<std::vector<history::Attempt>> attempts(program.nodes.size());
  std::vector<Recorder> recorders(attempts.begin(), attempts.end());
  std::vector<std::size_t> next(program.nodes.size());
  cluster.on_crash([&](const auto& node, std::size_t index) {
    recorders[index].crash(node.protocol(), cluster.scheduler().now());
  });
  const auto started = cluster.scheduler().now();
  try {
    cluster.run([&](auto& node, std::size_t index) {
      node.run([](Transaction& t) { (void)t.root<Registers>("registers"); });
      auto* life = &node;
      while (next[index] < program.nodes[index].size()) {
        const auto& plan = program.nodes[index][next[index]++];
        if (plan.kind == TransactionKind::kRejoin) {
          life = &cluster.rejoin(index);
        } else {
          run_plan(*life, plan, recorders[index], cluster.scheduler());
        }
        cluster.tick(index);
      }
    });
  } catch (const Violation& violation) {
    result.violation = violation.what();
  }
  for (auto& of_node : attempts) {
    for (auto& attempt : of_node) result.history.attempts.push_back(std::move(attempt));
  }
  for (const auto& epoch : cluster.epochs()) {
    result.history.rollbacks.push_back({epoch.epoch, epoch.start.value, epoch.at.ns});
  }
  result.rejoins = cluster.rejoins();
  result.crashes = cluster.crashes();
  result.image_pages_compared = cluster.image_checker().pages_compared();
  result.counters = cluster.counters();
  result.network = cluster.network().counters();
  result.trace = std::move(cluster.trace());
  result.digest = result.trace.digest;
  result.events = cluster.scheduler().events();
  result.length = cluster.scheduler().now() - started;
  if (!result.violation) {
    history::CheckOptions checks;
    if (hold_after<Strategy>() != kNeverHold) {
      // Each epoch that begins may abort even who runs under the token.
      const auto epochs = static_cast<std::uint32_t>(cluster.epochs().size());
      checks.promised_restarts = hold_after<Strategy>() + epochs;
    }
    const auto report = history::check_all(result.history, checks);
    if (!report.ok()) result.violation = history::to_words(report);
    result.committed = report.counts.committed;
    result.aborted = report.counts.aborted;
    result.most_restarts = history::most_restarts(result.history);
  }
  return result;
}

}  // namespace plurix::sim

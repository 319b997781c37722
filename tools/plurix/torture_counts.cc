#include "torture_counts.h"

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <fstream>

#include "demo_display.h"

namespace plurix::tool {
namespace {

nlohmann::ordered_json hostile_json(const HostileCounters& hostile) {
  return {{"noise", hostile.noise},     {"truncated", hostile.truncated},
          {"altered", hostile.altered}, {"forged", hostile.forged},
          {"foreign", hostile.foreign}, {"replayed", hostile.replayed}};
}

nlohmann::ordered_json memory_json(const MemoryWatch& memory) {
  return {
      {"node_warm_bytes", memory.node_warm},     {"node_end_bytes", memory.node_end},
      {"node_growth_bytes", memory.node_growth}, {"parent_warm_bytes", memory.parent_warm},
      {"parent_end_bytes", memory.parent_end},   {"parent_growth_bytes", memory.parent_growth()}};
}

std::string line_of(const char* label, const std::string& text) {
  return std::string("  ") + label + std::string(14 - std::char_traits<char>::length(label), ' ') +
         text + "\n";
}

}  // namespace

std::uint64_t own_bytes(int pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  statm >> all >> resident >> shared;
  return (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

void TortureCounts::add_round(const std::string& workload, const RunRecord& record,
                              const RunVerdict& verdict, bool fair) {
  const auto all = record.total();
  ++rounds;
  committed += all.committed;
  read_only += all.read_only;
  aborted += all.aborted;
  cancelled += all.cancelled;
  by_workload[workload] += all.committed;
  attempts_checked += verdict.report.counts.attempts;
  operations_checked += verdict.report.counts.operations;
  violations += verdict.report.violation_count + (verdict.invariant ? 0 : 1);
  if (fair) most_restarts_fair = std::max(most_restarts_fair, all.most_restarts);
}

void TortureCounts::add_node(const NodeStatus& status) {
  net += status.net_faults;
  for (const auto& [name, count] : status.protocol.items()) {
    if (count.is_number()) protocol[name] += count.get<std::uint64_t>();
  }
}

std::uint64_t TortureCounts::net_faults() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& fault : kNetFaults) sum += net.*fault.count;
  return sum;
}

std::string TortureCounts::words() const {
  const auto n = [](std::uint64_t number) { return with_separators(number); };
  char time[32];
  std::snprintf(time, sizeof time, "%.0f s", seconds);
  std::string text = n(committed) + " transactions committed in " + time + " (" + n(aborted) +
                     " attempts aborted, " + n(cancelled) + " refused), " + n(rounds) +
                     " rounds on " + n(fleets) + " fleets\n";
  std::string list;
  for (const auto& [name, count] : by_workload) list += name + " " + n(count) + "  ";
  text += line_of("workloads", list);
  list.clear();
  for (const auto& [name, count] : by_kind) list += name + " " + n(count) + "  ";
  text += line_of("nodes", list);
  list.clear();
  for (const auto& fault : kNetFaults) {
    list += std::string(fault.name) + " " + n(net.*fault.count) + "  ";
  }
  text += line_of("network", list + "of " + n(net.received) + " datagrams");
  text += line_of("pauses", n(pauses));
  text += line_of("hostile", "noise " + n(hostile.noise) + "  truncated " + n(hostile.truncated) +
                                 "  altered " + n(hostile.altered) + "  forged " +
                                 n(hostile.forged) + "  foreign " + n(hostile.foreign) +
                                 "  replayed " + n(hostile.replayed));
  text += line_of("checked", n(attempts_checked) + " attempts, " + n(operations_checked) +
                                 " reads and writes, " + n(violations) + " violations");
  text += line_of("restarts", "at most " + n(most_restarts_fair) + " of one transaction (fair)");
  text += line_of("memory",
                  "largest node " + megabytes(static_cast<std::int64_t>(memory.node_warm)) +
                      " after warm-up, " + megabytes(static_cast<std::int64_t>(memory.node_end)) +
                      " at the end; largest growth of one " + megabytes(memory.node_growth) +
                      "; this process " + megabytes(static_cast<std::int64_t>(memory.parent_warm)) +
                      ", then " + megabytes(static_cast<std::int64_t>(memory.parent_end)));
  return text;
}

std::string TortureCounts::to_json(const TortureSettings& settings, int exit_code,
                                   const std::string& verdict) const {
  nlohmann::ordered_json json = {{"ok", exit_code == 0},
                                 {"verdict", verdict},
                                 {"seed", settings.seed},
                                 {"first_fleet", settings.first_fleet},
                                 {"nodes", settings.nodes},
                                 {"faults", settings.faults},
                                 {"seconds", seconds},
                                 {"fleets", fleets},
                                 {"rounds", rounds},
                                 {"committed", committed},
                                 {"read_only", read_only},
                                 {"aborted", aborted},
                                 {"cancelled", cancelled},
                                 {"attempts", attempts_checked},
                                 {"operations", operations_checked},
                                 {"violations", violations},
                                 {"stuck_nodes", stuck_nodes},
                                 {"most_restarts_fair", most_restarts_fair},
                                 {"pauses", pauses}};
  json["net_faults"] = tool::to_json(net);
  json["hostile"] = hostile_json(hostile);
  json["memory"] = memory_json(memory);
  json["committed_by_workload"] = by_workload;
  json["nodes_by_kind"] = by_kind;
  json["protocol"] = protocol;
  return json.dump();
}

}  // namespace plurix::tool

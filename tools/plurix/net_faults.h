// What a node's network can be made to do to the frames it receives, for options, for reports and
// for plans: one row a fault.
#pragma once

#include <plurix/sim/faulty_transport.h>

#include <nlohmann/json.hpp>

namespace plurix::tool {

struct NetFault {
  const char* name;    ///< as in lists of faults, here and in `plurix sim`
  const char* option;  ///< of `plurix node`, without the dashes
  double sim::FaultOptions::* percent;
  std::uint64_t sim::FaultCounters::* count;
  const char* what;
};

inline constexpr NetFault kNetFaults[] = {
    {"loss", "drop", &sim::FaultOptions::drop_percent, &sim::FaultCounters::dropped,
     "Percent of the datagrams to lose on receipt, for tests"},
    {"duplication", "duplicate", &sim::FaultOptions::duplicate_percent,
     &sim::FaultCounters::duplicated, "Percent of the datagrams that come twice"},
    {"reordering", "reorder", &sim::FaultOptions::reorder_percent, &sim::FaultCounters::reordered,
     "Percent of the datagrams that come after the next one"},
    {"delay", "delay", &sim::FaultOptions::delay_percent, &sim::FaultCounters::delayed,
     "Percent of the datagrams that come up to 20 ms late"},
    {"corruption", "corrupt", &sim::FaultOptions::corrupt_percent, &sim::FaultCounters::corrupted,
     "Percent of the datagrams that have a bit turned"},
    {"replay", "replay", &sim::FaultOptions::replay_percent, &sim::FaultCounters::replayed,
     "Percent of the datagrams that an earlier one comes again in front of"},
};

inline nlohmann::ordered_json to_json(const sim::FaultCounters& counters) {
  nlohmann::ordered_json json = {{"received", counters.received}};
  for (const auto& fault : kNetFaults) json[fault.name] = counters.*fault.count;
  return json;
}

inline sim::FaultCounters fault_counters_in(const nlohmann::json& json) {
  sim::FaultCounters counters;
  counters.received = json.value("received", std::uint64_t{0});
  for (const auto& fault : kNetFaults) {
    counters.*fault.count = json.value(fault.name, std::uint64_t{0});
  }
  return counters;
}

inline sim::FaultCounters& operator+=(sim::FaultCounters& sum, const sim::FaultCounters& more) {
  sum.received += more.received;
  for (const auto& fault : kNetFaults) sum.*fault.count += more.*fault.count;
  return sum;
}

}  // namespace plurix::tool

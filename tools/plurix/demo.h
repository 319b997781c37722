// The demo: real processes form a cluster, work on one heap, and are judged at the end.
#pragma once

#include <cstdint>
#include <string>

namespace plurix::tool {

struct DemoSettings {
  std::size_t hosted = 3;  ///< processes
  std::size_t machines = 0;
  std::string transport = "udp";  ///< udp, segment; machines are on a segment always
  std::string kernel;             ///< what the machines run; empty: the one built beside us
  bool kill_machine = false;      ///< and start it again, in the middle of the run
  std::string pcap_file;          ///< what the hub heard
  double spray_per_second = 0;    ///< frames that no station has sent
  double seconds = 10;
  std::string workload = "bank";
  std::string fault_source = "auto";
  std::string strategy = "fair";
  std::uint64_t heap_bytes = std::uint64_t{64} << 20;
  double drop_percent = 0;
  std::string false_sharing = "off";  ///< off, report, dissolve
  std::uint64_t seed = 1;
  std::uint64_t history_limit = 100'000;
  std::string history_file;
  std::string trace_file;
  bool compact = false;
  bool verify = false;  ///< the whole heap, at the end
  bool json = false;
  bool kill = false;  ///< kill nodes and the PageServer, cut the network, start from the disk
  std::size_t fill_megabytes = 0;  ///< with `kill`: written by the nodes, in equal parts, before

  std::size_t nodes() const noexcept { return hosted + machines; }
  bool on_segment() const noexcept { return machines > 0 || transport == "segment"; }
};

/// Empty, or which of the settings contradict each other.
std::string why_not_together(const DemoSettings& settings);

/// Returns an exit code; everything to be said has been printed.
int run_demo(const DemoSettings& settings);

}  // namespace plurix::tool

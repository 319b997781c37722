// The demo: real processes form a cluster, work on one heap, and are judged at the end.
#pragma once

#include <cstdint>
#include <string>

namespace plurix::tool {

struct DemoSettings {
  std::size_t nodes = 3;
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
  bool verify = false;  ///< the whole heap, at the end
  bool json = false;
};

/// Returns an exit code; everything to be said has been printed.
int run_demo(const DemoSettings& settings);

}  // namespace plurix::tool

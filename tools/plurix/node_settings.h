// What `plurix node` is told, by a person or by `plurix demo`.
#pragma once

#include <plurix/posix/node_options.h>
#include <plurix/sim/faulty_transport.h>
#include <plurix/sim/tapped_transport.h>

#include <cstdint>
#include <string>
#include <vector>

namespace plurix::tool {

inline constexpr const char* kNoWorkload = "none";

struct NodeSettings {
  const char* command = "node";  ///< which was given, for messages
  posix::NodeOptions node;
  std::string workload = kNoWorkload;
  std::string strategy = "fair";  ///< fair, first-wins
  double seconds = 0;             ///< 0: until Ctrl-C
  sim::FaultOptions faults;       ///< of the network; clock and seed are filled in
  sim::TapOptions tap;
  std::uint64_t seed = 1;
  std::uint64_t history_limit = 100'000;  ///< attempts recorded at most
  std::string store;                      ///< directory of the images; empty: this node takes none
  std::uint32_t keep_images = 8;          ///< images kept in it
  double image_seconds = 1;               ///< between images
  bool stop_for_images = false;           ///< nobody commits while an image is taken
  std::uint64_t store_bytes = ~std::uint64_t{0};  ///< the store does not grow beyond it
  int zstd_level = 0;                             ///< its segments are compressed; 0: they are not
  std::string history_file;
  std::string record_file;  ///< holds what is recorded while it runs (workloads/record.h)
  std::string trace_file;
  std::string false_sharing = "off";  ///< off, report, dissolve
  bool compact = false;               ///< keeps the heap on few pages, in the background
  bool trace = false;
  bool verify = false;  ///< at the end: the heap holds what the workload must have put there
  bool json = false;
  bool control = false;  ///< obeys commands on stdin (control.h)
};

/// Runs one node to its end; returns an exit code.
int run_node(const NodeSettings& settings);

// One translation unit a strategy: each instantiates the node and every workload on it.
int run_fair_node(const NodeSettings& settings);
int run_first_wins_node(const NodeSettings& settings);

}  // namespace plurix::tool

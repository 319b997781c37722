// Options that several subcommands share, with errors in words.
#pragma once

#include <plurix/posix/hosted_fault_source.h>
#include <plurix/sim/faulty_transport.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace plurix::tool {

/// "64M", "1GiB", "100000": bytes, powers of 1024.
CLI::Option* add_bytes_option(CLI::App& command, const std::string& name, std::uint64_t& bytes,
                              const std::string& what);
CLI::Option* add_heap_option(CLI::App& command, std::uint64_t& bytes);
CLI::Option* add_fault_source_option(CLI::App& command, std::string& name);
CLI::Option* add_strategy_option(CLI::App& command, std::string& name);
CLI::Option* add_workload_option(CLI::App& command, std::string& name, bool or_none);
CLI::Option* add_false_sharing_option(CLI::App& command, std::string& policy);
CLI::Option* add_compact_option(CLI::App& command, bool& compact);
CLI::Option* add_drop_option(CLI::App& command, double& percent);

/// --drop, --duplicate, …: a percentage for each fault of net_faults.h.
void add_net_fault_options(CLI::App& command, sim::FaultOptions& faults);

/// The name must have been checked.
posix::FaultSourceKind fault_source_named(const std::string& name);

/// Makes sure now that a file can be written when it is full of results. Empty, or why not.
std::string why_not_writable(const std::string& path);

}  // namespace plurix::tool

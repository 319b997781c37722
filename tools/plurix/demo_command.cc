#include "demo_command.h"

#include <plurix/base/types.h>

#include <iostream>
#include <memory>

#include "demo.h"
#include "exit_codes.h"
#include "kill_demo.h"
#include "option_checks.h"
#include "qemu_machine.h"

namespace plurix::tool {
namespace {

constexpr auto kFooter =
    R"(--json prints as the last line of stdout: nodes, seconds, committed, aborted, page_fetches,
commit_time, invariant (the heap holds what it must), history_checked, violations, attempts, per_node and more.

Examples:
  plurix demo
  plurix demo --nodes 8 --seconds 5 --workload registers --drop 5 --history run.jsonl --json
  plurix demo --workload graph --verify
  plurix demo --qemu 2 --hosted 2 --drop 5
  plurix demo --qemu 3 --hosted 0 --json
  plurix demo --kill)";

int run(const DemoSettings& settings) {
  if (const auto why = why_not_together(settings); !why.empty()) {
    std::cerr << "plurix demo: " << why << "\n";
    return kUsage;
  }
  if (settings.machines > 0) {
    const auto kernel = settings.kernel.empty() ? default_kernel() : settings.kernel;
    if (const auto why = why_no_qemu(kernel); !why.empty()) {
      std::cerr << "plurix demo: " << why << "\n";
      return kNotFit;
    }
  }
  for (const auto* file : {&settings.history_file, &settings.trace_file, &settings.pcap_file}) {
    const auto why = why_not_writable(*file);
    if (why.empty()) continue;
    std::cerr << "plurix demo: " << why << "\n";
    return kUsage;
  }
  return settings.kill ? run_kill_demo(settings) : run_demo(settings);
}

void add_place_options(CLI::App& demo, DemoSettings& settings) {
  demo.add_option("--nodes,--hosted", settings.hosted, "Processes, each a node")
      ->check(CLI::Range(std::size_t{0}, plurix::kMaxNodes))
      ->capture_default_str();
  demo.add_option("--qemu", settings.machines,
                  "QEMU machines, each a node without an operating system")
      ->check(CLI::Range(std::size_t{0}, std::size_t{16}))
      ->capture_default_str();
  demo.add_option("--transport", settings.transport,
                  "How processes talk: udp, or segment: Ethernet frames through a hub, as machines "
                  "do always")
      ->check(CLI::IsMember({"udp", "segment"}))
      ->capture_default_str();
  demo.add_option("--kernel", settings.kernel,
                  "What the machines run (default: plurix-kernel beside this program)");
  demo.add_flag("--kill-machine", settings.kill_machine,
                "Kill a machine in the middle of the run and start it again");
  demo.add_option("--pcap", settings.pcap_file, "Write every frame on the segment, for Wireshark");
  demo.add_option("--spray", settings.spray_per_second,
                  "Frames a second on the segment that no node has sent")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace
}  // namespace plurix::tool

void add_demo_command(CLI::App& app, int& exit_code) {
  using namespace plurix::tool;
  CLI::App* demo =
      app.add_subcommand("demo", "Show a cluster of real processes at work, and check what it did");
  const auto settings = std::make_shared<DemoSettings>();
  add_place_options(*demo, *settings);
  demo->add_option("--seconds", settings->seconds, "How long they work")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  add_workload_option(*demo, settings->workload, false);
  add_fault_source_option(*demo, settings->fault_source);
  add_strategy_option(*demo, settings->strategy);
  add_heap_option(*demo, settings->heap_bytes);
  add_drop_option(*demo, settings->drop_percent);
  add_false_sharing_option(*demo, settings->false_sharing);
  add_compact_option(*demo, settings->compact);
  demo->add_option("--seed", settings->seed, "Seed of workload and losses")->capture_default_str();
  demo->add_option("--history", settings->history_file,
                   "Write what every attempt read and wrote, one JSON object a line");
  demo->add_option("--history-limit", settings->history_limit,
                   "Attempts recorded at most by each node; the run goes on after it")
      ->capture_default_str();
  demo->add_option("--trace", settings->trace_file,
                   "Write the newest events as a file for Perfetto or chrome://tracing");
  demo->add_flag("--verify", settings->verify, "Verify the whole heap at the end, every object");
  auto* kill = demo->add_flag(
      "--kill", settings->kill,
      "Kill nodes and the PageServer, cut the network, start everything from the disk");
  demo->add_option("--fill", settings->fill_megabytes,
                   "With --kill: megabytes that the nodes write before anything happens")
      ->check(CLI::Range(std::size_t{1}, std::size_t{4096}))
      ->needs(kill);
  demo->add_flag("--json", settings->json, "One line of JSON at the end instead of words");
  demo->footer(kFooter);
  demo->callback([settings, &exit_code] { exit_code = run(*settings); });
}

#include "node_command.h"

#include <plurix/checkpoint/compression.h>
#include <plurix/checkpoint/format.h>
#include <plurix/posix/environment_error.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "control.h"
#include "exit_codes.h"
#include "node_settings.h"
#include "option_checks.h"

namespace plurix::tool {
namespace {

constexpr auto kFooter = R"(Ctrl-C ends the node in an orderly way: what it owns goes to the others.

Examples:
  plurix node --cluster demo
  plurix node --cluster lab --bind 10.0.0.2:7000 --peer 10.0.0.1:7000 --workload bank --seconds 30
  plurix node --cluster lab --segment hub:/tmp/lab --workload bank)";

constexpr auto kPageServerFooter =
    R"(The directory is made if it is not there. With images in it the cluster goes on from the newest
one, however it ended. Start the PageServer first, then the other nodes; look at what it has with
`plurix checkpoint`.

Examples:
  plurix pageserver --cluster demo --dir /var/lib/plurix
  plurix pageserver --cluster demo --dir D --keep 24 --image-every 3600)";

/// One frame in so many goes to the listener of --tap.
constexpr std::uint32_t kTapEvery = 100;

struct Arguments {
  NodeSettings settings;
  std::string fault_source = "auto";
  std::string found = "auto";
  std::string receive = "auto";
  std::string tap;
  double join_seconds = 10;
};

posix::Founding founding_named(const std::string& name) {
  if (name == "always") return posix::Founding::kAlways;
  return name == "never" ? posix::Founding::kNever : posix::Founding::kAuto;
}

udp::ReceiveKind receive_named(const std::string& name) {
  if (name == "plain") return udp::ReceiveKind::kPlain;
  return name == "io_uring" ? udp::ReceiveKind::kIoUring : udp::ReceiveKind::kAuto;
}

NodeSettings settings_of(const Arguments& arguments) {
  auto settings = arguments.settings;
  settings.node.collect = false;  // NodeRunner does, and tells of it
  settings.node.fault_source = fault_source_named(arguments.fault_source);
  settings.node.found = founding_named(arguments.found);
  settings.node.receive = receive_named(arguments.receive);
  if (const auto listener = udp::parse_endpoint(arguments.tap)) {
    settings.tap = {.listener = *listener, .every = kTapEvery, .seed = settings.seed};
  }
  settings.node.join_timeout = {static_cast<std::int64_t>(arguments.join_seconds * 1e9)};
  return settings;
}

int fail(const NodeSettings& settings, ExitCode code, const std::string& words) {
  if (settings.control) {
    const nlohmann::ordered_json line = {{"event", "failed"}, {"code", code}, {"words", words}};
    (void)write_line(1, line.dump());
  } else {
    std::cerr << "plurix " << settings.command << ": " << words << "\n";
  }
  return code;
}

int run(const Arguments& arguments) {
  const auto settings = settings_of(arguments);
  for (const auto* file : {&settings.history_file, &settings.trace_file}) {
    if (const auto why = why_not_writable(*file); !why.empty()) return fail(settings, kUsage, why);
  }
  return run_node(settings);
}

void add_file_options(CLI::App& node, NodeSettings& settings) {
  node.add_option("--history", settings.history_file,
                  "Write what this node's attempts read and wrote, one JSON object a line");
  node.add_option("--history-limit", settings.history_limit, "Attempts recorded at most")
      ->capture_default_str();
  node.add_option("--trace", settings.trace_file,
                  "Write the newest event records, 32 bytes each, when the node ends");
  node.add_flag("--json", settings.json, "Lines of JSON instead of words");
  node.add_flag("--verify", settings.verify,
                "In the end, say whether the heap holds what the workload must have left there");
  node.add_flag("--record-trace", settings.trace)->group("");
  node.add_flag("--control", settings.control)->group("");
  node.add_option("--record", settings.record_file)->group("");
}

void add_place_options(CLI::App& node, Arguments& arguments) {
  auto& options = arguments.settings.node;
  node.add_option("--cluster", options.cluster, "Name of the cluster to join or found")
      ->capture_default_str();
  node.add_option("--bind", options.bind,
                  "Own address as the others reach it, ADDRESS:PORT (default: 127.0.0.1 and a "
                  "port that follows from the name)");
  node.add_option("--peer,--seed-address", options.seeds,
                  "A node to ask for the cluster, ADDRESS:PORT; may be repeated");
  node.add_option("--segment", options.segment,
                  "Use raw Ethernet frames instead of UDP: hub:PATH (see plurix hub) or "
                  "interface:NAME; --bind and --peer are then addresses like 02:50:4c:00:00:01, "
                  "and without --peer everybody on the segment is asked");
  node.add_option("--found", arguments.found,
                  "Found the cluster: auto (if nobody answers), always, never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  node.add_flag("--page-server", options.page_server,
                "Watch the other nodes; when one dies, go on without it in a new epoch");
  auto& settings = arguments.settings;
  node.add_option("--dir", settings.store,
                  "Keep images of the heap in this directory and be the PageServer; a directory "
                  "with images goes on from the newest one");
  node.add_option("--keep", settings.keep_images, "Images kept")
      ->check(CLI::Range(1U, checkpoint::kMaxImages))
      ->capture_default_str();
  node.add_option("--image-every", settings.image_seconds, "Seconds between images")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  node.add_flag("--stop-for-images", settings.stop_for_images,
                "Nobody commits while an image is taken");
  node.add_option("--store-limit", settings.store_bytes, "Bytes the images may take")
      ->transform(CLI::AsSizeValue(false));
  node.add_option(
          "--zstd", settings.zstd_level,
          "Compress what is written to the images where that makes it smaller: 1 (fast) to 3")
      ->check(CLI::Range(1, checkpoint::kHighestLevel));
  node.add_option("--join-timeout", arguments.join_seconds,
                  "Seconds until an attempt to join fails")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

}  // namespace

int run_node(const NodeSettings& settings) {
  try {
    return settings.strategy == "fair" ? run_fair_node(settings) : run_first_wins_node(settings);
  } catch (const posix::NotReachable& error) {
    return fail(settings, kNotReachable, error.what());
  } catch (const posix::EnvironmentError& error) {
    return fail(settings, kNotFit, error.what());
  } catch (const std::invalid_argument& error) {
    return fail(settings, kUsage, error.what());
  } catch (const std::exception& error) {
    return fail(settings, kFailed, error.what());
  }
}

}  // namespace plurix::tool

namespace {

using namespace plurix::tool;

void add_options(CLI::App& node, const std::shared_ptr<Arguments>& arguments) {
  add_place_options(node, *arguments);
  auto& settings = arguments->settings;
  add_heap_option(node, settings.node.heap_bytes);
  add_fault_source_option(node, arguments->fault_source);
  node.add_option("--receive", arguments->receive,
                  "How datagrams are received: auto, plain, io_uring")
      ->check(CLI::IsMember({"auto", "plain", "io_uring"}))
      ->capture_default_str();
  add_strategy_option(node, settings.strategy);
  add_workload_option(node, settings.workload, true);
  add_false_sharing_option(node, settings.false_sharing);
  add_compact_option(node, settings.compact);
  node.add_option("--seconds", settings.seconds, "How long; 0: until Ctrl-C")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  node.add_option("--restart-every", settings.node.restart_every,
                  "Run every n-th transaction twice, to flush out side effects; 0: never")
      ->capture_default_str();
  add_net_fault_options(node, settings.faults);
  node.add_option("--seed", settings.seed, "Seed of the workload")->capture_default_str();
  node.add_option("--tap", arguments->tap)->group("");
  add_file_options(node, settings);
}

}  // namespace

void add_node_command(CLI::App& app, int& exit_code) {
  CLI::App* node = app.add_subcommand("node", "Start one node by hand");
  const auto arguments = std::make_shared<Arguments>();
  add_options(*node, arguments);
  node->footer(kFooter);
  node->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

void add_pageserver_command(CLI::App& app, int& exit_code) {
  CLI::App* server =
      app.add_subcommand("pageserver", "Start the node that keeps images of the heap on its disk");
  const auto arguments = std::make_shared<Arguments>();
  arguments->settings.command = "pageserver";
  add_options(*server, arguments);
  server->get_option("--dir")->required();
  server->footer(kPageServerFooter);
  server->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

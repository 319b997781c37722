#include "kill_demo.h"

#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "exit_codes.h"
#include "stop_signals.h"
#include "stored_cluster.h"
#include "temporary_directory.h"

namespace plurix::tool {
namespace {

class KillDemo {
 public:
  explicit KillDemo(const DemoSettings& settings)
      : settings_(settings),
        cluster_({.name = "kill-" + std::to_string(::getpid()),
                  .store = directory_.file("store"),
                  .arguments = {"--workload", settings.workload, "--heap",
                                std::to_string(heap_bytes(settings)), "--history-limit", "1"},
                  .logs = {},
                  .records = {}}) {}

  int run() {
    cluster_.start_all(settings_.nodes());
    say("a PageServer and " + std::to_string(settings_.nodes()) + " nodes: " + settings_.workload +
        ", an image every 200 ms");
    cluster_.ask(cluster_.server(), "setup", "setup");
    if (settings_.fill_megabytes > 0) fill();
    cluster_.tell_all("start");
    cluster_.work(1.0);
    kill_a_node();
    cut_the_network();
    kill_the_page_server();
    kill_everything();
    return conclude();
  }

 private:
  /// With room for what the nodes write before.
  static std::uint64_t heap_bytes(const DemoSettings& settings) {
    return settings.heap_bytes + (std::uint64_t{settings.fill_megabytes} << 20);
  }

  static constexpr double kStatusPause = 0.3;  ///< a node tells what it has done every 0.2 s

  std::vector<std::size_t> all_but(std::size_t index) const {
    std::vector<std::size_t> others;
    for (std::size_t i = 1; i <= settings_.nodes(); ++i) {
      if (i != index) others.push_back(i);
    }
    return others;
  }

  // ---- the steps

  void fill() {
    const auto part = settings_.fill_megabytes / settings_.nodes();
    for (std::size_t i = 1; i <= settings_.nodes(); ++i) {
      cluster_.ask(cluster_.node(i), "fill " + std::to_string(part), "filled");
    }
    const auto begin = StoredCluster::now();
    cluster_.ask(cluster_.server(), "checkpoint", "checkpointed");
    line("each node writes %zu MB; an image of them after %.0f ms", part,
         (StoredCluster::now() - begin) * 1e3);
  }

  void kill_a_node() {
    cluster_.forget_epochs();
    const auto killed = StoredCluster::now();
    cluster_.kill_node(1);
    say_return("kill -9 of a node", killed, all_but(1));
    cluster_.start_node(1);
    cluster_.node(1).send("start");
    cluster_.work(0.5);
  }

  void cut_the_network() {
    const auto last = settings_.nodes();
    cluster_.forget_epochs();
    const auto cut = StoredCluster::now();
    cluster_.node(last).send("cut 1500");
    say_return("the network is cut around a node", cut, all_but(last));
    const auto back = cluster_.await_return({last}, cut);
    line("  the node alone did nothing until the network was whole, and joined again after %.0f ms",
         (back.worked - cut) * 1e3);
    cluster_.work(0.5);
  }

  void kill_the_page_server() {
    cluster_.forget_epochs();
    cluster_.server().send("checkpoint");  // it dies in the middle of writing an image
    ::usleep(3'000);
    cluster_.kill_server();
    cluster_.work(kStatusPause);  // until what was done before has been told
    const auto before = committed();
    cluster_.work(1.0);
    say("kill -9 of the PageServer while it writes, for more than a second");
    const auto meanwhile = committed() - before;
    if (meanwhile == 0) {
      line("  the nodes wait for it: %s", "their leases ended before the system had taken it down");
    } else {
      line("  the nodes go on: %llu transactions in the second behind",
           static_cast<unsigned long long>(meanwhile));
    }
    cluster_.forget_epochs();
    const auto started = StoredCluster::now();
    cluster_.start_server();
    say_return("the PageServer starts again", started, all_but(0));
    steps_["steps"].back()["committed_without"] = meanwhile;
    cluster_.work(0.5);
  }

  /// As far as the nodes have told.
  std::uint64_t committed() {
    std::uint64_t sum = 0;
    for (const auto i : all_but(0)) sum += cluster_.node(i).status().committed;
    return sum;
  }

  void kill_everything() {
    const auto stored = cluster_.ask(cluster_.server(), "checkpoint", "checkpointed");
    durable_ = stored.value("durable", std::uint64_t{0});
    const auto killed = StoredCluster::now();
    for (std::size_t i = 1; i <= settings_.nodes(); ++i) cluster_.kill_node(i);
    cluster_.kill_server();
    cluster_.start_all(settings_.nodes());
    say("kill -9 of all processes; all start again from the disk");
    const auto state = cluster_.ask(cluster_.server(), "checkpoint", "checkpointed");
    back_ = state.value("durable", std::uint64_t{0});
    line("  back after %.0f ms, from commit time %llu; durable before was %llu",
         (StoredCluster::now() - killed) * 1e3, static_cast<unsigned long long>(back_),
         static_cast<unsigned long long>(durable_));
    cluster_.tell_all("start");
    cluster_.work(1.0);
  }

  int conclude() {
    cluster_.rest();
    const auto verified = cluster_.ask(cluster_.server(), "verify heap", "verified");
    const bool ok = verified.value("ok", false);
    const bool kept = back_ >= durable_;
    say(verified.value("words", ""));
    if (!kept) say("VIOLATION: what was durable is gone");
    if (settings_.json) {
      steps_["ok"] = ok && kept;
      std::cout << steps_.dump() << std::endl;
    }
    return ok && kept ? kDone : kViolation;
  }

  /// Waits until the survivors work in a new epoch, and says how long it took.
  void say_return(const std::string& what, double since,
                  const std::vector<std::size_t>& survivors) {
    const auto back = cluster_.await_return(survivors, since);
    const auto ms = (back.worked - since) * 1e3;
    say(what);
    if (back.noticed > 0) line("  noticed after %.0f ms", (back.noticed - since) * 1e3);
    line("  all others transact again after %.0f ms, from commit time %llu (%s)", ms,
         static_cast<unsigned long long>(back.start),
         back.undone ? "the newest image" : "nothing was undone");
    nlohmann::ordered_json step = {{"what", what}, {"ms", ms}, {"start", back.start}};
    if (back.noticed > 0) step["noticed_ms"] = (back.noticed - since) * 1e3;
    steps_["steps"].push_back(step);
  }

  void say(const std::string& words) const {
    if (!settings_.json) std::cout << words << std::endl;
  }

  template <class... Values>
  void line(const char* format, Values... values) const {
    if (settings_.json) return;
    std::printf(format, values...);
    std::printf("\n");
    std::fflush(stdout);
  }

  const DemoSettings& settings_;
  TemporaryDirectory directory_;
  StoredCluster cluster_;
  std::uint64_t durable_ = 0;
  std::uint64_t back_ = 0;
  nlohmann::ordered_json steps_;
};

}  // namespace

int run_kill_demo(const DemoSettings& settings) {
  const StopSignals signals([](void*) {}, nullptr);
  try {
    return KillDemo(settings).run();
  } catch (const FleetFailure& failure) {
    std::cerr << "plurix demo: " << failure.words << "\n";
    return failure.code;
  } catch (const std::exception& error) {
    std::cerr << "plurix demo: " << error.what() << "\n";
    return kFailed;
  }
}

}  // namespace plurix::tool

#include "kill_demo.h"

#include <poll.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

#include <plurix/posix/monotonic_clock.h>

#include "child_node.h"
#include "exit_codes.h"
#include "node_fleet.h"
#include "stop_signals.h"
#include "temporary_directory.h"

namespace plurix::tool {
namespace {

constexpr double kPatience = 60;  // seconds for any one answer

double seconds_now() { return static_cast<double>(posix::MonotonicClock().now().ns) / 1e9; }

class KillDemo {
 public:
  explicit KillDemo(const DemoSettings& settings) : settings_(settings) {}

  int run() {
    start_all("a PageServer and " + std::to_string(settings_.nodes()) +
              " nodes: " + settings_.workload + ", an image every 200 ms");
    ask(*server_, "setup", "setup");
    start_working();
    work(1.0);
    kill_a_node();
    cut_the_network();
    kill_the_page_server();
    kill_everything();
    return conclude();
  }

 private:
  using Child = std::unique_ptr<ChildNode>;

  std::vector<std::string> words_for(bool server, const std::string& address) const {
    std::vector<std::string> words = {
        "--control",        "--cluster", cluster_,
        "--bind",           address,     "--workload",
        settings_.workload, "--heap",    std::to_string(settings_.heap_bytes),
        "--history-limit",  "1"};
    if (server) {
      words.insert(words.end(), {"--dir", directory_.file("store"), "--image-every", "0.2"});
    } else {
      words.insert(words.end(), {"--found", "never", "--peer", address_of_server_});
    }
    return words;
  }

  void start_server() {
    const bool again = !address_of_server_.empty();
    const auto address = again ? address_of_server_ : std::string("127.0.0.1:0");
    server_.reset();  // a killed process holds the store until it has ended
    server_ = std::make_unique<ChildNode>(0, Program::plurix("node", words_for(true, address)));
    address_of_server_ = await(*server_, "ready").value("address", "");
  }

  Child start_node(std::size_t index) {
    auto node = std::make_unique<ChildNode>(
        index, Program::plurix("node", words_for(false, "127.0.0.1:0")));
    await(*node, "ready");
    return node;
  }

  void start_all(const std::string& what) {
    start_server();
    nodes_.clear();
    for (std::size_t i = 0; i < settings_.nodes(); ++i) nodes_.push_back(start_node(i + 1));
    say(what);
  }

  void start_working() {
    for (const auto& node : nodes_) node->send("start");
  }

  // ---- the steps

  void kill_a_node() {
    auto& victim = nodes_.front();
    forget_epochs();
    const auto killed = seconds_now();
    ::kill(victim->pid(), SIGKILL);
    say_epochs("kill -9 of a node", killed, nodes_.size() - 1, 1);
    victim = start_node(1);
    victim->send("start");
    work(0.5);
  }

  void cut_the_network() {
    auto& alone = *nodes_.back();
    forget_epochs();
    const auto cut = seconds_now();
    alone.send("cut 1500");
    say_epochs("the network is cut around a node", cut, nodes_.size() - 1, 0);
    const auto answer = await(alone, "epoch");
    line("  the node alone did nothing until the network was whole, and joined again after %.0f ms",
         (answer.value("ns", std::int64_t{0}) / 1e9 - cut) * 1e3);
    work(0.5);
  }

  void kill_the_page_server() {
    forget_epochs();
    server_->send("checkpoint");  // it dies in the middle of writing an image
    ::usleep(3'000);
    const auto killed = seconds_now();
    ::kill(server_->pid(), SIGKILL);
    start_server();
    say_epochs("kill -9 of the PageServer while it writes; it starts again", killed, nodes_.size(),
               0);
    work(0.5);
  }

  void kill_everything() {
    const auto stored = ask(*server_, "checkpoint", "checkpointed");
    durable_ = stored.value("durable", std::uint64_t{0});
    const auto killed = seconds_now();
    for (const auto& node : nodes_) ::kill(node->pid(), SIGKILL);
    ::kill(server_->pid(), SIGKILL);
    start_all("kill -9 of all processes; all start again from the disk");
    const auto state = ask(*server_, "checkpoint", "checkpointed");
    back_ = state.value("durable", std::uint64_t{0});
    line("  back after %.0f ms, from commit time %llu; durable before was %llu",
         (seconds_now() - killed) * 1e3, static_cast<unsigned long long>(back_),
         static_cast<unsigned long long>(durable_));
    start_working();
    work(1.0);
  }

  int conclude() {
    for (const auto& node : nodes_) ask(*node, "stop", "stopped");
    const auto verified = ask(*server_, "verify heap", "verified");
    const bool ok = verified.value("ok", false);
    const bool kept = back_ >= durable_;
    say(verified.value("words", ""));
    if (!kept) say("VIOLATION: what was durable is gone");
    if (settings_.json) {
      steps_["ok"] = ok && kept;
      std::cout << steps_.dump() << std::endl;
    }
    for (const auto& node : nodes_) node->send("quit");
    server_->send("quit");
    return ok && kept ? kDone : kViolation;
  }

  // ---- talking

  /// Waits for the epoch at `count` nodes, leaving out the first `skip`, and says how long it took.
  void say_epochs(const std::string& what, double since, std::size_t count, std::size_t skip) {
    double latest = since;
    std::uint64_t rollbacks = 0;
    std::uint64_t start = 0;
    for (std::size_t i = skip; i < skip + count; ++i) {
      const auto answer = await(*nodes_[i], "epoch");
      latest = std::max(latest, answer.value("ns", std::int64_t{0}) / 1e9);
      // Who had to join again lost what the PageServer did not have, as in a rollback.
      const auto undone = answer.value("rollbacks", std::uint64_t{0}) +
                          answer.value("expulsions", std::uint64_t{0});
      rollbacks += undone - rollbacks_[i];
      rollbacks_[i] = undone;
      start = answer.value("start", std::uint64_t{0});
    }
    const auto ms = (latest - since) * 1e3;
    say(what);
    line("  all others transact again after %.0f ms, from commit time %llu (%s)", ms,
         static_cast<unsigned long long>(start),
         rollbacks > 0 ? "the newest image" : "nothing was undone");
    steps_["steps"].push_back({{"what", what}, {"ms", ms}, {"start", start}});
  }

  void forget_epochs() {
    look();
    for (const auto& node : nodes_) {
      while (node->take("epoch")) {
      }
    }
  }

  void look() {
    std::vector<pollfd> readable;
    for (const auto& node : nodes_) readable.push_back({node->fd(), POLLIN, 0});
    if (server_) readable.push_back({server_->fd(), POLLIN, 0});
    (void)::poll(readable.data(), readable.size(), 20);
    for (const auto& node : nodes_) {
      if (node) node->look();
    }
    if (server_) server_->look();
    if (stop_asked()) throw FleetFailure{kFailed, "interrupted; the nodes are stopped, no verdict"};
  }

  void work(double seconds) {
    for (const auto end = seconds_now() + seconds; seconds_now() < end;) look();
  }

  nlohmann::json ask(ChildNode& node, std::string_view command, std::string_view answer) {
    node.send(command);
    return await(node, answer);
  }

  nlohmann::json await(ChildNode& node, std::string_view event) {
    const auto end = seconds_now() + kPatience;
    while (seconds_now() < end) {
      node.look();
      if (auto answer = node.take(event)) return std::move(*answer);
      if (auto failed = node.take("failed")) {
        throw FleetFailure{failed->value("code", int{kFailed}), failed->value("words", "")};
      }
      if (!node.end().empty()) break;
      look();
    }
    throw FleetFailure{kFailed, NodeFleet::name_of(node) + " has not answered (awaited: " +
                                    std::string(event) + ") " + node.end() + states()};
  }

  /// Where every process stands, a line each.
  std::string states() {
    std::vector<ChildNode*> all;
    if (server_) all.push_back(server_.get());
    for (const auto& node : nodes_) all.push_back(node.get());
    for (const auto* node : all) ::kill(node->pid(), SIGUSR2);
    work(0.5);
    std::string words;
    for (auto* node : all) {
      const auto state = node->take("state");
      words += "\n  " + NodeFleet::name_of(*node) + ": " + (state ? state->dump() : node->end());
    }
    return words;
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
  const std::string cluster_ = "kill-" + std::to_string(::getpid());
  std::string address_of_server_;
  Child server_;
  std::vector<Child> nodes_;
  std::map<std::size_t, std::uint64_t> rollbacks_;
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

#include "kill_torture.h"

#include <plurix/history/check_all.h>
#include <plurix/history/json_lines.h>

#include <signal.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "demo_display.h"
#include "exit_codes.h"
#include "kill_figures.h"
#include "net_faults.h"
#include "stop_signals.h"
#include "stored_cluster.h"
#include "temporary_directory.h"
#include "workloads/all.h"

namespace plurix::tool {
namespace {

/// Attempts recorded by one life of one node.
constexpr std::uint64_t kHistoryLimit = 300'000;
/// A cluster ends when so much of a record is taken: one that is full proves nothing, and the
/// fastest workloads take half of it in one deed.
constexpr double kFullEnough = 0.35;
/// Deeds done to one cluster before its history is checked.
constexpr int kDeeds = 7;

/// What the files of all lives together tell.
history::History read_records(const std::vector<std::string>& files,
                              workloads::Record::KeyName name, std::int64_t end_ns) {
  history::History all;
  for (const auto& file : files) {
    const workloads::Record record(file);
    record.for_each(name, [&](auto attempt) { all.attempts.push_back(std::move(attempt)); });
    for (const auto& rollback : record.rollbacks()) all.rollbacks.push_back(rollback);
    if (auto last = record.in_doubt(name, end_ns)) all.attempts.push_back(std::move(*last));
  }
  return all;
}

void write_history(const std::string& path, const history::History& all) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return;
  history::LineWriter writer(file);
  for (const auto& attempt : all.attempts) writer.write(attempt);
  for (const auto& rollback : all.rollbacks) writer.write(rollback);
  (void)writer.flush();
  (void)std::fclose(file);
}

class KillTorture {
 public:
  explicit KillTorture(const TortureSettings& settings)
      : settings_(settings), menu_(*TortureMenu::parse(settings.faults)) {}

  int run() {
    try {
      for (auto fleet = settings_.first_fleet; fleets_ == 0 || !over(); ++fleet) run_fleet(fleet);
      verdict_ = "right: no violation, nothing durable lost, nobody stuck";
    } catch (const FleetFailure& failure) {
      exit_code_ = failure.code;
      verdict_ = "WRONG: " + failure.words;
    }
    conclude();
    return exit_code_;
  }

 private:
  using Indexes = std::vector<std::size_t>;

  bool over() const { return stop_asked() || seconds() >= settings_.minutes * 60; }
  double seconds() const { return StoredCluster::now() - begin_; }

  StoredCluster::Settings cluster_settings(const FleetPlan& plan) const {
    std::vector<std::string> words = {"--workload",      plan.workloads.front(),
                                      "--strategy",      plan.strategy,
                                      "--seed",          std::to_string(plan.nodes[0].seed),
                                      "--history-limit", std::to_string(kHistoryLimit)};
    for (const auto& fault : kNetFaults) {
      words.push_back(std::string("--") + fault.option);
      words.push_back(std::to_string(plan.nodes[0].faults.*fault.percent));
    }
    return {.name = "torture-" + std::to_string(::getpid()),
            .store = fleet_folder_ + "/store",
            .arguments = words,
            .logs = fleet_folder_ + "/log.",
            .records = fleet_folder_ + "/record."};
  }

  void run_fleet(std::size_t number) {
    fleet_number_ = number;
    fleet_folder_ = directory_.file("fleet." + std::to_string(number));
    std::filesystem::create_directory(fleet_folder_);
    const auto plan = plan_fleet(settings_, number);
    StoredCluster cluster(cluster_settings(plan));
    cluster_ = &cluster;
    prng_ = Prng(plan.seed);
    try {
      cluster.start_all(settings_.nodes);
      cluster.ask(cluster.server(), "setup", "setup");
      // Before the first image of it a cluster that loses a page begins with nothing, by the rules.
      const auto stored = cluster.ask(cluster.server(), "checkpoint", "checkpointed");
      if (!stored.value("ok", false)) throw FleetFailure{kFailed, "no image came of the set-up"};
      cluster.tell_all("start");
      ++fleets_;
      for (int i = 0; i < kDeeds && !(i > 0 && over()) && !nearly_full(); ++i) do_a_deed();
      check_history(plan.workloads.front());
    } catch (const FleetFailure&) {
      if (!stop_asked()) directory_.keep();
      throw;
    }
    std::filesystem::remove_all(fleet_folder_);
  }

  bool nearly_full() const {
    const auto& files = cluster_->record_files();
    return std::any_of(files.begin(), files.end(), [](const auto& file) {
      return workloads::Record(file).filled() > kFullEnough;
    });
  }

  // ---- deeds

  void do_a_deed() {
    cluster_->work(0.2 + static_cast<double>(prng_.below(400)) / 1e3);
    cluster_->forget_epochs();
    const auto victim = 1 + prng_.below(settings_.nodes);
    switch (prng_.below(10)) {
      case 0:
      case 1:
      case 2:
        kill_nodes("a node", {victim});
        break;
      case 3:
        kill_nodes("two nodes", {victim, 1 + victim % settings_.nodes});
        break;
      case 4:
      case 5:
        kill_server("the PageServer", {});
        break;
      case 6:
        kill_server("PageServer and node", {victim});
        break;
      case 7:
        kill_all();
        break;
      case 8:
        disturb("a node cut off", victim, [this](ChildNode& node, int ms) {
          node.send("cut " + std::to_string(ms));
          cluster_->work(ms / 1e3);
        });
        break;
      default:
        disturb("a node stopped", victim, [this](ChildNode& node, int ms) {
          ::kill(node.pid(), SIGSTOP);
          cluster_->work(ms / 1e3);
          ::kill(node.pid(), SIGCONT);
        });
    }
    await_progress();
    check_heap();
  }

  Indexes all_but(const Indexes& without) const {
    Indexes others;
    for (std::size_t i = 1; i <= settings_.nodes; ++i) {
      if (std::find(without.begin(), without.end(), i) == without.end()) others.push_back(i);
    }
    return others;
  }

  void kill_nodes(const char* what, const Indexes& victims) {
    const auto since = StoredCluster::now();
    for (const auto index : victims) cluster_->kill_node(index);
    const auto survivors = all_but(victims);
    if (!survivors.empty()) note(what, since, cluster_->await_return(survivors, since));
    for (const auto index : victims) restart(index);
  }

  void kill_server(const char* what, const Indexes& victims) {
    if (prng_.below(2) == 0) {  // it dies in the middle of writing an image
      cluster_->server().send("checkpoint");
      ::usleep(static_cast<unsigned>(prng_.below(8'000)));
    }
    cluster_->kill_server();
    // Without it the nodes go on, until one of them dies too.
    if (prng_.below(2) == 0) cluster_->work(static_cast<double>(prng_.below(600)) / 1e3);
    for (const auto index : victims) cluster_->kill_node(index);
    const auto since = StoredCluster::now();
    cluster_->start_server();
    const auto survivors = all_but(victims);
    if (!survivors.empty()) note(what, since, cluster_->await_return(survivors, since));
    for (const auto index : victims) restart(index);
  }

  void kill_all() {
    const auto since = StoredCluster::now();
    cluster_->kill_server();
    for (const auto index : all_but({})) cluster_->kill_node(index);
    cluster_->start_all(settings_.nodes);
    note("everything", since,
         {.noticed = 0, .worked = StoredCluster::now(), .start = 0, .undone = true});
    cluster_->tell_all("start");
  }

  /// The node is away for longer than the PageServer waits for it. Where the PageServer itself gets
  /// no processor for so long, it may not notice: then the node goes on as if nothing had been.
  template <class Away>
  void disturb(const char* what, std::size_t victim, Away away) {
    const auto since = StoredCluster::now();
    away(cluster_->node(victim), 400 + static_cast<int>(prng_.below(800)));
    if (cluster_->noticed(since) == 0) {
      ++deeds_;
      return say_progress("a node away, which was not noticed");
    }
    const auto survivors = all_but({victim});
    if (!survivors.empty()) note(what, since, cluster_->await_return(survivors, since));
    (void)cluster_->await_return({victim}, since);
  }

  void restart(std::size_t index) {
    cluster_->start_node(index);
    cluster_->node(index).send("start");
  }

  void note(const char* what, double since, const StoredCluster::Return& back) {
    auto& row = figures_.rows[what];
    ++row.count;
    row.undone += back.undone ? 1 : 0;
    if (back.noticed > 0) row.noticed.add((back.noticed - since) * 1e3);
    row.back.add((back.worked - since) * 1e3);
    ++deeds_;
    say_progress(what);
  }

  // ---- checks

  /// Every node has finished a transaction since now.
  void await_progress() {
    std::map<std::size_t, std::uint64_t> seen;
    const auto finished = [this](std::size_t i) {
      const auto& status = cluster_->node(i).status();
      return status.committed + status.cancelled;
    };
    for (const auto i : all_but({})) seen[i] = finished(i);
    const auto end = StoredCluster::now() + settings_.patience_seconds;
    while (!seen.empty()) {
      cluster_->work(0.02);
      std::erase_if(seen, [&](const auto& each) { return finished(each.first) > each.second; });
      if (StoredCluster::now() < end || seen.empty()) continue;
      throw FleetFailure{kFailed, "node " + std::to_string(seen.begin()->first) +
                                      " is stuck: no transaction after what was done" +
                                      cluster_->states()};
    }
  }

  /// While nobody works: what must be kept is kept, and every object is sound.
  void check_heap() {
    cluster_->rest();
    auto& reader = prng_.below(2) == 0 ? cluster_->server() : cluster_->node(1);
    const auto verified = cluster_->ask(reader, "verify heap", "verified");
    ++verifications_;
    if (!verified.value("ok", false)) {
      throw FleetFailure{kViolation, verified.value("words", "the heap could not be read")};
    }
    cluster_->tell_all("start");
  }

  void check_history(const std::string& workload) {
    cluster_->ask_all("stop", "stopped");
    if (some_record_is_full()) return void(++unjudged_);
    workloads::with_workload(workload, [&](auto done) {
      judge(read_records(cluster_->record_files(), decltype(done)::key_name,
                         static_cast<std::int64_t>(StoredCluster::now() * 1e9)));
    });
  }

  bool some_record_is_full() const {
    const auto& files = cluster_->record_files();
    return std::any_of(files.begin(), files.end(),
                       [](const auto& file) { return workloads::Record(file).head().full; });
  }

  void judge(const history::History& all) {
    const auto report = history::check_all(all);
    committed_ += report.counts.committed;
    undone_ += report.counts.undone;
    attempts_ += report.counts.attempts;
    in_doubt_ += report.counts.unknown;
    for (const auto& attempt : all.attempts) durable_ += attempt.durable ? 1 : 0;
    violations_ += report.violation_count;
    if (report.ok()) return;
    write_history(fleet_folder_ + "/history.jsonl", all);
    throw FleetFailure{kViolation, history::to_words(report) + "check:  plurix check " +
                                       fleet_folder_ + "/history.jsonl"};
  }

  // ---- words

  void say_progress(const char* what) const {
    const bool live = ::isatty(STDERR_FILENO) == 1;
    std::fprintf(stderr, "%scluster %zu, deed %llu (%s), %.0f s of %.0f%s", live ? "\r\x1b[K" : "",
                 fleet_number_, static_cast<unsigned long long>(deeds_), what, seconds(),
                 settings_.minutes * 60, live ? "" : "\n");
  }

  std::string replay_command() const {
    char text[256];
    std::snprintf(text, sizeof text,
                  "plurix torture --kill --seed %llu --first-fleet %zu --nodes %zu --minutes %g "
                  "--faults %s --workload %s",
                  static_cast<unsigned long long>(settings_.seed), fleet_number_, settings_.nodes,
                  settings_.minutes, settings_.faults.c_str(), settings_.workload.c_str());
    return text;
  }

  void conclude() const {
    if (::isatty(STDERR_FILENO) == 1) std::fputs("\n", stderr);
    if (exit_code_ != kDone) {
      std::cerr << "plurix torture: " << verdict_ << "\n";
      if (!stop_asked()) {
        std::cerr << "kept: " << fleet_folder_ << " (store, log.N)\nreplay: " << replay_command()
                  << "\n";
      }
    }
    if (settings_.json) {
      std::cout << to_json().dump() << std::endl;
      return;
    }
    std::cout << with_separators(deeds_) << " deeds on " << with_separators(fleets_)
              << " clusters, " << with_separators(committed_) << " transactions committed, "
              << with_separators(undone_) << " undone, " << with_separators(durable_)
              << " of them durable and kept, " << with_separators(in_doubt_)
              << " in doubt when their node died, " << with_separators(unjudged_)
              << " histories too long to be judged\n"
              << figures_.words() << verdict_ << "\n";
  }

  nlohmann::ordered_json to_json() const {
    return {{"ok", exit_code_ == kDone},
            {"verdict", verdict_},
            {"seed", settings_.seed},
            {"nodes", settings_.nodes},
            {"faults", settings_.faults},
            {"seconds", seconds()},
            {"clusters", fleets_},
            {"deeds", deeds_},
            {"verifications", verifications_},
            {"attempts", attempts_},
            {"committed", committed_},
            {"undone", undone_},
            {"durable", durable_},
            {"in_doubt", in_doubt_},
            {"clusters_unjudged", unjudged_},
            {"violations", violations_},
            {"times", figures_.to_json()}};
  }

  const TortureSettings& settings_;
  const TortureMenu menu_;
  const double begin_ = StoredCluster::now();
  TemporaryDirectory directory_;
  std::string fleet_folder_;
  StoredCluster* cluster_ = nullptr;
  Prng prng_{1};
  KillFigures figures_;
  std::size_t fleet_number_ = 0;
  std::uint64_t fleets_ = 0;
  std::uint64_t deeds_ = 0;
  std::uint64_t verifications_ = 0;
  std::uint64_t attempts_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t undone_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t in_doubt_ = 0;
  std::uint64_t violations_ = 0;
  std::uint64_t unjudged_ = 0;  ///< clusters that recorded more than fits
  int exit_code_ = kDone;
  std::string verdict_;
};

}  // namespace

int run_kill_torture(const TortureSettings& settings) { return KillTorture(settings).run(); }

}  // namespace plurix::tool

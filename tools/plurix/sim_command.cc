#include "sim_command.h"

#include <plurix/commit/first_wins.h>
#include <plurix/history/json_lines.h>
#include <plurix/sim/counted.h>
#include <plurix/sim/explore.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

using namespace plurix;
using Json = nlohmann::ordered_json;

enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2, kViolation = 4 };

struct Arguments {
  std::uint32_t nodes = 5;
  std::uint32_t transactions = 200;
  std::uint64_t seed = 1;
  std::string seeds;
  std::string faults = "all";
  std::string strategy = "fair";
  std::string history;
  std::string case_file;
  std::string save_case = "plurix-case.txt";
  unsigned jobs = 0;
  bool json = false;
  bool events = false;
};

struct Range {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
};

constexpr auto kFooter =
    R"(Exit codes: 0 no violation, 1 failed, 2 usage, 4 violation found.

Examples:
  plurix sim --seeds 1..1000 --faults all
  plurix sim --nodes 5 --transactions 20000 --seed 7 --faults loss,reordering --json)";

std::optional<Range> parse_range(const std::string& text) {
  Range range;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%lu..%lu%c", &range.first, &range.last, &rest) != 2) return {};
  if (range.first > range.last) return {};
  return range;
}

sim::Case make_case(const Arguments& arguments, std::uint64_t seed) {
  sim::ExploreOptions options;
  options.nodes = arguments.nodes;
  options.transactions = arguments.transactions;
  options.faults = *sim::FaultMenu::parse(arguments.faults);
  options.strategy = arguments.strategy;
  return sim::random_case(options, seed);
}

sim::RunResult run_case(const sim::Case& c, std::size_t keep_events = 0) {
  return c.strategy == "first-wins" ? sim::run_case<FirstWins>(c, keep_events)
                                    : sim::run_case<Fair>(c, keep_events);
}

/// What all runs did together.
struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t events = 0;
  std::uint64_t attempts = 0;
  std::uint64_t transactions = 0;
  std::uint64_t aborted = 0;
  std::uint32_t most_restarts = 0;
  std::uint64_t digest = 0;
  sim::Occurrences occurrences;
  std::vector<std::uint64_t> bad_seeds;

  void add(const sim::RunResult& r, std::uint64_t seed) {
    ++runs;
    events += r.events;
    attempts += r.history.attempts.size();
    transactions += r.committed;
    aborted += r.aborted;
    most_restarts = std::max(most_restarts, r.most_restarts);
    digest ^= mix(r.digest, seed);  // whatever order the seeds end in
    occurrences.add(r);
    if (r.violation) bad_seeds.push_back(seed);
  }
};

Json as_json(const std::vector<sim::Counted>& counted) {
  auto object = Json::object();
  for (const auto& [name, count] : counted) object[std::string(name)] = count;
  return object;
}

Totals run_seeds(const Arguments& arguments, Range range) {
  Totals totals;
  std::mutex mutex;
  std::atomic<std::uint64_t> next = range.first;
  const bool show = !arguments.json && isatty(STDERR_FILENO) != 0;
  const auto count = range.last - range.first + 1;
  const auto work = [&] {
    for (auto seed = next++; seed <= range.last; seed = next++) {
      const auto result = run_case(make_case(arguments, seed));
      const std::lock_guard lock(mutex);
      totals.add(result, seed);
      if (show && totals.runs % 10 == 0) {
        std::cerr << "\r" << totals.runs << " of " << count << " seeds, " << totals.bad_seeds.size()
                  << " with a violation" << std::flush;
      }
    }
  };
  std::vector<std::thread> threads;
  const auto wanted = arguments.jobs != 0 ? arguments.jobs : std::thread::hardware_concurrency();
  for (std::uint64_t i = 1; i < std::min<std::uint64_t>(wanted, count); ++i) {
    threads.emplace_back(work);
  }
  work();
  for (auto& thread : threads) thread.join();
  if (show) std::cerr << "\r\033[K";
  std::sort(totals.bad_seeds.begin(), totals.bad_seeds.end());
  return totals;
}

/// Makes the failing case small, shows it, and leaves a file that replays it.
void explain_failure(const sim::Case& failing, const Arguments& arguments, std::ostream& out) {
  out << "VIOLATION with seed " << failing.seed << ":\n"
      << run_case(failing, 0).violation.value_or("none the second time: the run was not repeatable")
      << "\n\nMaking it smaller …\n\n"
      << std::flush;
  const auto found = sim::shrink_to_counterexample(
      failing, [](const sim::Case& c, std::size_t keep) { return run_case(c, keep); });
  std::ofstream file(arguments.save_case);
  file << to_string(found.smallest);
  if (file.flush()) {
    out << sim::to_words(found, "plurix sim --case " + arguments.save_case + " --events");
    return;
  }
  out << "(" << arguments.save_case << " could not be written; the command below is for the case "
      << "as it was before it was made smaller)\n"
      << sim::to_words(found, "plurix sim --seed " + std::to_string(failing.seed) + " --nodes " +
                                  std::to_string(arguments.nodes) + " --transactions " +
                                  std::to_string(arguments.transactions) + " --faults " +
                                  arguments.faults + " --strategy " + failing.strategy);
}

bool write_history(const history::History& history, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"),
                                                             &std::fclose);
  if (!file) return false;
  history::LineWriter writer(file.get());
  for (const auto& attempt : history.attempts) writer.write(attempt);
  for (const auto& rollback : history.rollbacks) writer.write(rollback);
  return writer.flush();
}

int report(const Arguments& arguments, Range range, const Totals& totals, double seconds) {
  if (arguments.json) {
    Json json;
    json["nodes"] = arguments.nodes;
    json["transactions_each"] = arguments.transactions;
    json["seeds"] = {range.first, range.last};
    json["faults"] = arguments.faults;
    json["strategy"] = arguments.strategy;
    json["violations"] = totals.bad_seeds.size();
    json["bad_seeds"] = totals.bad_seeds;
    json["digest"] = sim::digest_text(totals.digest);
    json["events"] = totals.events;
    json["attempts_checked"] = totals.attempts;
    json["transactions"] = totals.transactions;
    json["aborted"] = totals.aborted;
    json["most_restarts"] = totals.most_restarts;
    json["faults_counted"] = as_json(totals.occurrences.faults());
    json["rare_paths"] = as_json(totals.occurrences.rare_paths());
    json["dropped_frames"] = as_json(totals.occurrences.dropped_frames());
    json["seconds"] = seconds;
    std::cout << json.dump() << "\n";
  } else {
    std::cout << totals.runs << (totals.runs == 1 ? " cluster" : " clusters") << " of "
              << arguments.nodes << " nodes: " << totals.transactions << " transactions, "
              << totals.attempts << " attempts checked, " << totals.events << " events ("
              << static_cast<std::uint64_t>(static_cast<double>(totals.events) / seconds)
              << " a second)\n";
    std::cout << "faults: " << in_words(totals.occurrences.faults())
              << "\nrare paths: " << in_words(totals.occurrences.rare_paths())
              << "\ndropped frames: " << in_words(totals.occurrences.dropped_frames()) << "\n"
              << "most restarts of a transaction: " << totals.most_restarts << "\n"
              << "violations: " << totals.bad_seeds.size()
              << "\ndigest: " << sim::digest_text(totals.digest) << "\n";
  }
  return totals.bad_seeds.empty() ? kDone : kViolation;
}

int replay(const Arguments& arguments) {
  std::ifstream file(arguments.case_file);
  std::stringstream text;
  text << file.rdbuf();
  const auto c = sim::parse_case(text.str());
  if (!file || !c) {
    std::cerr << "plurix sim: " << arguments.case_file
              << (file ? " is not a case file" : " cannot be read")
              << "; give a file that a failing `plurix sim` has written\n";
    return kFailed;
  }
  const auto result = run_case(*c, 2000);
  std::cout << to_string(*c);
  if (arguments.events) std::cout << sim::lanes(result.trace, c->program.nodes.size(), 2000);
  std::cout << "digest: " << sim::digest_text(result.digest) << "\n"
            << (result.violation ? *result.violation : "violations: 0") << "\n";
  return result.violation ? kViolation : kDone;
}

int run_sim(const Arguments& arguments) {
  if (!arguments.case_file.empty()) return replay(arguments);
  Range range{arguments.seed, arguments.seed};
  if (!arguments.seeds.empty()) range = *parse_range(arguments.seeds);
  const auto start = std::chrono::steady_clock::now();
  const auto totals = run_seeds(arguments, range);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!arguments.history.empty()) {
    const auto result = run_case(make_case(arguments, range.first));
    if (!write_history(result.history, arguments.history)) {
      std::cerr << "plurix sim: " << arguments.history
                << " cannot be written; choose a writable place with room\n";
      return kFailed;
    }
  }
  if (!totals.bad_seeds.empty()) {
    explain_failure(make_case(arguments, totals.bad_seeds.front()), arguments, std::cerr);
  }
  return report(arguments, range, totals, seconds.count());
}

}  // namespace

void add_sim_command(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("sim", "Run simulated clusters from seeds and check them");
  command->footer(kFooter);
  command->add_option("--nodes", arguments->nodes, "nodes of a cluster")
      ->check(CLI::Range(1u, static_cast<unsigned>(kMaxNodes)))
      ->capture_default_str();
  command->add_option("--transactions", arguments->transactions, "transactions each node runs")
      ->check(CLI::Range(1u, 1'000'000u))
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "the one seed to run")->capture_default_str();
  command->add_option("--seeds", arguments->seeds, "a range of seeds, A..B")
      ->check(CLI::Validator(
          [](std::string& text) {
            return parse_range(text) ? std::string{} : "not a range of seeds like 1..1000: " + text;
          },
          "A..B"));
  command->add_option("--faults", arguments->faults, "all, none, or a list of names")
      ->check(CLI::Validator(
          [](std::string& text) {
            return sim::FaultMenu::parse(text)
                       ? std::string{}
                       : "unknown fault in \"" + text + "\"; all, none, or some of " +
                             std::string(sim::FaultMenu::kNames);
          },
          "LIST"))
      ->capture_default_str();
  command->add_option("--strategy", arguments->strategy, "commit strategy")
      ->check(CLI::IsMember({"fair", "first-wins"}))
      ->capture_default_str();
  command->add_option("--history", arguments->history,
                      "write the (first) run's history here, one JSON object a line");
  command->add_option("--case", arguments->case_file, "replay a case file instead");
  command->add_option("--save-case", arguments->save_case, "where a failing case is written")
      ->capture_default_str();
  command->add_option("-j,--jobs", arguments->jobs, "seeds at the same time; 0: one a core");
  command->add_flag("--events", arguments->events, "with --case: show the events, a lane a node");
  command->add_flag("--json", arguments->json, "one JSON object, for machines");
  command->callback([arguments, &exit_code] { exit_code = run_sim(*arguments); });
}

#include <plurix/sim/explore.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace plurix::sim {
namespace {

constexpr std::size_t kEventsKept = 20'000;
constexpr std::size_t kLinesShown = 60;
constexpr int kViolated = 4;

std::optional<Case> read_case(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return file ? parse_case(text.str()) : std::nullopt;
}

int replay(const char* path, const CaseRunner& runner, std::ostream& out) {
  const auto c = read_case(path);
  if (!c) {
    out << path << " is not a case file; give one that a violation has left\n";
    return 1;
  }
  const auto result = runner(*c, kEventsKept);
  out << to_string(*c) << lanes(result.trace, c->program.nodes.size(), kEventsKept)
      << "digest: " << digest_text(result.digest) << "\n"
      << result.violation.value_or("no violation") << "\n";
  return result.violation ? kViolated : 0;
}

/// The program's name and those arguments that do not say what to replay.
std::string command_of(int argc, char** argv) {
  std::string command = argv[0];
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--case"; ++i) {
    command.append(" ").append(argv[i]);
  }
  return command;
}

/// "own_strategy-case.txt" in the current directory.
std::string case_path(std::string program) {
  program.erase(0, program.rfind('/') + 1);  // npos + 1 == 0
  return program + "-case.txt";
}

}  // namespace

Case random_case(const ExploreOptions& options, std::uint64_t seed) {
  Prng prng(seed);
  Case c;
  c.seed = seed;
  c.strategy = options.strategy;
  c.program = random_program(options.nodes, options.transactions, prng);
  // A transaction takes about 100 simulated microseconds.
  const auto length = microseconds(std::int64_t{100} * options.transactions);
  c.faults = random_schedule(options.faults, options.nodes, length, prng);
  return c;
}

Counterexample shrink_to_counterexample(const Case& failing, const CaseRunner& runner) {
  Counterexample found;
  found.seed = failing.seed;
  found.smallest =
      shrink(failing, [&](const Case& c) { return runner(c, 0).violation.has_value(); });
  found.result = runner(found.smallest, kEventsKept);
  return found;
}

std::optional<Counterexample> explore(const ExploreOptions& options, const CaseRunner& runner) {
  for (std::uint64_t i = 0; i < options.seeds; ++i) {
    const auto c = random_case(options, options.first_seed + i);
    if (runner(c, 0).violation) return shrink_to_counterexample(c, runner);
  }
  return std::nullopt;
}

std::string digest_text(std::uint64_t digest) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(digest));
  return text;
}

std::string to_words(const Counterexample& found, std::string_view replay_command) {
  const auto& result = found.result;
  std::string words = "What does not hold:\n";
  words += result.violation.value_or("nothing: the case does not fail any more");
  words += "\n\nThe case, made small from seed " + std::to_string(found.seed) + ":\n";
  words += to_string(found.smallest);
  words += "\nThe last events:\n";
  words += lanes(result.trace, found.smallest.program.nodes.size(), kLinesShown);
  words += "\nReplay it (digest " + digest_text(result.digest) + "):\n  ";
  return words.append(replay_command) + "\n";
}

int explore_main(int argc, char** argv, const ExploreOptions& options, const CaseRunner& runner,
                 std::ostream& out) {
  if (argc >= 3 && std::string_view(argv[argc - 2]) == "--case") {
    return replay(argv[argc - 1], runner, out);
  }
  const auto found = explore(options, runner);
  if (!found) {
    out << options.seeds << " seeds, no violation\n";
    return 0;
  }
  const auto path = case_path(argv[0]);
  std::ofstream file(path);
  file << to_string(found->smallest);
  out << to_words(*found, command_of(argc, argv) + " --case " + path);
  return file.flush() ? kViolated : 1;
}

}  // namespace plurix::sim

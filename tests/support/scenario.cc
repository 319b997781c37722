#include "support/scenario.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "support/frame_text.h"
#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

[[noreturn]] void fail(const std::string& words) { throw std::runtime_error(words); }

std::string text(std::uint64_t number) { return std::to_string(number); }

std::uint64_t number_of(const std::string& word) {
  std::size_t used = 0;
  std::uint64_t number = 0;
  try {
    number = std::stoull(word, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != word.size()) fail("'" + word + "' is no number");
  return number;
}

Duration duration_of(const std::string& word) {
  const auto unit = word.find_first_not_of("0123456789");
  if (unit == std::string::npos) fail("'" + word + "' has no unit: us or ms");
  const auto count = static_cast<std::int64_t>(number_of(word.substr(0, unit)));
  if (word.substr(unit) == "ms") return milliseconds(count);
  if (word.substr(unit) == "us") return microseconds(count);
  fail("'" + word + "' has no unit: us or ms");
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

/// The body of a transaction, and how far it has come.
class Body {
 public:
  struct Operation {
    std::string verb;
    PageIndex page = 0;
    Value value = 0;
  };

  /// "read 4, write 5=60, pause"
  static std::vector<Operation> parse(const std::string& list) {
    std::vector<Operation> operations;
    std::istringstream in(list);
    for (std::string part; std::getline(in, part, ',');) operations.push_back(parse_one(part));
    if (operations.empty()) fail("a transaction without operations");
    return operations;
  }

 private:
  static Operation parse_one(const std::string& part) {
    const auto words = words_of(part);
    if (words.empty()) fail("an empty operation");
    Operation operation{words[0]};
    static const std::set<std::string> kPlain = {"pause", "token", "latest", "abandon"};
    const bool plain = kPlain.contains(words[0]);
    if (plain && words.size() == 1) return operation;
    if (words.size() != 2) fail("'" + part + "' is no operation");
    const auto equals = words[1].find('=');
    if ((words[0] == "write") != (equals != std::string::npos)) {
      fail("'" + part + "' is no operation");
    }
    if (words[0] != "read" && words[0] != "write" && words[0] != "add") {
      fail("'" + words[0] + "' is no operation");
    }
    operation.page = static_cast<PageIndex>(number_of(words[1].substr(0, equals)));
    if (equals != std::string::npos) operation.value = number_of(words[1].substr(equals + 1));
    return operation;
  }
};

struct Application {
  enum class State : std::uint8_t { kIdle, kWaitingForToken, kRunning, kPaused, kEnding };

  std::vector<Body::Operation> operations;
  std::size_t next = 0;
  State state = State::kIdle;
  bool asked_latest = false;
  bool holding = false;
  std::uint32_t collisions = 0;
};

/// What is told of a core when it changes.
struct Seen {
  CommitTime applied;
  bool member = false;
  bool held = false;
  bool doomed = false;
  bool resyncing = false;
  std::uint64_t dropped = 0;

  static Seen of(const ProtocolCore& core) {
    Seen seen;
    seen.applied = core.core().applied;
    seen.member = core.core().member;
    seen.held = core.token().held();
    seen.doomed = core.attempt().active() && core.attempt().doomed();
    seen.resyncing = core.core().resyncing;
    for (const auto count : core.core().counters.dropped) seen.dropped += count;
    return seen;
  }
};

const char* drop_text(std::size_t reason) {
  static constexpr const char* kWords[] = {
      "nothing",        "too short",      "bad length",     "bad magic",         "bad version",
      "bad checksum",   "bad type",       "bad auth",       "a foreign cluster", "an old epoch",
      "unknown sender", "wrong receiver", "malformed body", "not joined",        "queue full"};
  static_assert(std::size(kWords) == static_cast<std::size_t>(wire::DropReason::kCount));
  return kWords[reason];
}

class Runner {
 public:
  std::string run(const std::string& line) {
    output_.clear();
    try {
      command(line);
      if (net_) settle();
    } catch (const std::runtime_error& error) {
      say(std::string("error: ") + error.what());
    }
    return output_;
  }

 private:
  void say(const std::string& line) { output_ += line + "\n"; }
  void tell(std::size_t n, const std::string& what) { say("node " + text(n) + ": " + what); }

  void command(const std::string& line) {
    const auto colon = line.find(':');
    const auto words = words_of(line.substr(0, colon));
    if (words.empty()) fail("no command");
    if (words[0] == "cluster") return make_cluster(words);
    if (!net_) fail("the first command is `cluster`");
    if (words[0] == "transaction") {
      if (colon == std::string::npos) fail("`transaction N: operations`");
      return start(node(words, 1), line.substr(colon + 1));
    }
    static const std::map<std::string, void (Runner::*)(const std::vector<std::string>&)> kVerbs = {
        {"go", &Runner::go},           {"lose", &Runner::add_rule}, {"hold", &Runner::add_rule},
        {"double", &Runner::add_rule}, {"copy", &Runner::add_rule}, {"release", &Runner::release},
        {"wait", &Runner::wait},       {"cut", &Runner::cut},       {"heal", &Runner::cut},
        {"freeze", &Runner::freeze},   {"thaw", &Runner::freeze},   {"join", &Runner::join},
        {"leave", &Runner::leave},     {"show", &Runner::show}};
    const auto verb = kVerbs.find(words[0]);
    if (verb == kVerbs.end()) fail("'" + words[0] + "' is no command");
    (this->*verb->second)(words);
  }

  std::size_t node(const std::vector<std::string>& words, std::size_t i) const {
    if (i >= words.size()) fail("which node?");
    const auto n = number_of(words[i]);
    if (n >= net_->size()) fail("there is no node " + words[i]);
    return n;
  }

  void make_cluster(const std::vector<std::string>& words) {
    WiredOptions options;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto equals = words[i].find('=');
      if (equals == std::string::npos) fail("'" + words[i] + "' is no setting");
      set(options, words[i].substr(0, equals), words[i].substr(equals + 1));
    }
    net_ = std::make_unique<WiredCores>(options);
    fair_ = options.fair;
    applications_.assign(net_->size(), {});
    seen_.clear();
    for (std::size_t n = 0; n < net_->size(); ++n) seen_.push_back(Seen::of(net_->core(n)));
    net_->observe([this](Bytes frame, const std::vector<std::size_t>& receivers,
                         const std::vector<Fate>& fates) { sent(frame, receivers, fates); });
    net_->observe_steps([this](std::size_t n) { stepped(n); });
  }

  static void set(WiredOptions& options, const std::string& key, const std::string& value) {
    if (key == "nodes") {
      options.nodes = number_of(value);
    } else if (key == "later") {
      options.later = number_of(value);
    } else if (key == "strategy" && (value == "fair" || value == "first_wins")) {
      options.fair = value == "fair";
    } else if (key == "beacon") {
      options.core.beacon = duration_of(value);
    } else if (key == "log_records") {
      options.core.log_records = static_cast<std::uint32_t>(number_of(value));
    } else if (key == "words_per_packet") {
      options.core.words_per_packet = static_cast<std::uint32_t>(number_of(value));
    } else {
      fail("'" + key + "=" + value + "' is no setting");
    }
  }

  // ---- what is told

  void sent(Bytes frame, const std::vector<std::size_t>& receivers,
            const std::vector<Fate>& fates) {
    static constexpr const char* kFates[] = {"", "lost", "held", "doubled", "copied"};
    std::string notes;
    for (std::size_t i = 0; i < receivers.size(); ++i) {
      if (fates[i] == Fate::kArrives) continue;
      notes += notes.empty() ? "  (" : ", ";
      notes += kFates[static_cast<std::size_t>(fates[i])];
      if (receivers.size() > 1) notes += " to " + text(receivers[i]);
    }
    if (receivers.empty()) notes = "  (to nobody";
    say(frame_text(frame) + notes + (notes.empty() ? "" : ")"));
  }

  void stepped(std::size_t n) {
    const auto& core = net_->core(n);
    const auto now = Seen::of(core);
    auto& before = seen_[n];
    if (now.dropped != before.dropped) tell(n, "drops it: " + last_drop(n));
    if (now.member && !before.member) tell(n, "is a member: node " + text(core.core().self));
    if (now.applied != before.applied) tell(n, "is at time " + text(now.applied.value));
    if (now.doomed && !before.doomed) {
      const auto page = core.attempt().collision_page();
      tell(n, "its attempt is aborted" + (page == kNoPage
                                              ? ""
                                              : " by page " + text(page) + ", written at time " +
                                                    text(core.attempt().collision_time().value)));
    }
    if (now.held != before.held) tell(n, now.held ? "holds the token" : "passes the token on");
    if (now.resyncing != before.resyncing) {
      tell(n, now.resyncing ? "is out of service and resynchronizes" : "is in service");
    }
    if (!now.member && before.member) tell(n, "is no member any more");
    before = now;
  }

  std::string last_drop(std::size_t n) {
    const auto& dropped = net_->counters(n).dropped;
    auto& known = drops_[n];
    std::string reason = "?";
    for (std::size_t i = 0; i < std::size(dropped); ++i) {
      if (known[i] != dropped[i]) reason = drop_text(i);
      known[i] = dropped[i];
    }
    return reason;
  }

  // ---- applications

  void start(std::size_t n, const std::string& operations) {
    auto& application = applications_[n];
    if (application.state != Application::State::kIdle) fail("its transaction is not over");
    application = {};
    application.operations = Body::parse(operations);
    begin(n);
  }

  /// Begins an attempt; under a fair strategy one that was aborted too often asks for the token.
  void begin(std::size_t n) {
    auto& application = applications_[n];
    application.next = 0;
    application.asked_latest = false;
    if (fair_ && application.collisions >= kDefaultHoldAfter && !application.holding) {
      application.state = Application::State::kWaitingForToken;
      application.holding = true;
      return net_->step(n, event::TokenWanted{application.collisions});
    }
    application.state = Application::State::kRunning;
    net_->begin(n);
  }

  /// Delivers and continues bodies until nothing moves any more.
  void settle() {
    for (int limit = 10'000; limit > 0; --limit) {
      net_->deliver_all();
      bool moved = false;
      for (std::size_t n = 0; n < applications_.size(); ++n) moved = advance(n) || moved;
      if (!moved && net_->under_way().empty()) return;
    }
    fail("the nodes never come to rest");
  }

  /// One operation of a body. False if it cannot go on now.
  bool advance(std::size_t n) {
    auto& application = applications_[n];
    const auto& core = net_->core(n);
    switch (application.state) {
      case Application::State::kIdle:
      case Application::State::kPaused:
        return false;
      case Application::State::kWaitingForToken:
        if (!core.token().usable() || !core.token().held_back()) return false;
        application.state = Application::State::kRunning;
        net_->begin(n);
        return true;
      case Application::State::kRunning:
      case Application::State::kEnding:
        break;
    }
    if (core.attempt().active() && core.attempt().doomed()) return restart(n);
    if (application.state == Application::State::kEnding) return finish(n);
    if (application.next == application.operations.size()) return end_body(n);
    return perform(n, application.operations[application.next]);
  }

  bool restart(std::size_t n) {
    net_->end(n);
    ++applications_[n].collisions;
    tell(n, "begins again");
    begin(n);
    return true;
  }

  bool perform(std::size_t n, const Body::Operation& operation) {
    auto& application = applications_[n];
    if (operation.verb == "pause") {
      application.state = Application::State::kPaused;
    } else if (operation.verb == "abandon") {
      net_->end(n);
      tell(n, "abandons its transaction");
      over(n);
    } else if (operation.verb == "latest") {
      if (!is_latest(n)) return false;
    } else if (operation.verb == "token") {
      if (!holds_token(n)) return false;
    } else if (!touch(n, operation)) {
      return false;
    }
    ++application.next;
    return true;
  }

  bool touch(std::size_t n, const Body::Operation& operation) {
    const auto page = operation.page;
    const auto value = net_->load(n, page);
    if (!value) return false;
    if (operation.verb != "write") tell(n, "reads page " + text(page) + ": " + text(*value));
    if (operation.verb == "read") return true;
    const auto written = operation.verb == "add" ? *value + 1 : operation.value;
    if (!net_->store(n, page, written)) fail("a page that was read cannot be written");
    tell(n, "writes page " + text(page) + ": " + text(written));
    return true;
  }

  bool is_latest(std::size_t n) {
    auto& application = applications_[n];
    if (!application.asked_latest) {
      application.asked_latest = true;
      net_->step(n, event::LatestWanted{});
    }
    return net_->core(n).is_latest();
  }

  bool holds_token(std::size_t n) {
    auto& application = applications_[n];
    if (!std::exchange(application.holding, true)) net_->step(n, event::TokenWanted{0});
    return net_->core(n).token().usable() && net_->core(n).token().held_back();
  }

  bool end_body(std::size_t n) {
    if (!net_->core(n).attempt().write_set().empty()) {
      applications_[n].state = Application::State::kEnding;
      net_->want_commit(n, applications_[n].collisions);
      return true;
    }
    tell(n, "has read the snapshot of time " + text(net_->applied(n).value));
    net_->end(n);
    over(n);
    return true;
  }

  bool finish(std::size_t n) {
    if (net_->core(n).attempt().active()) return false;
    tell(n, "has committed at time " + text(net_->core(n).last_commit().value));
    over(n);
    return true;
  }

  void over(std::size_t n) {
    if (applications_[n].holding) net_->step(n, event::TokenReleased{});
    applications_[n].state = Application::State::kIdle;
    applications_[n].operations.clear();
    applications_[n].next = 0;
  }

  void go(const std::vector<std::string>& words) {
    auto& application = applications_[node(words, 1)];
    if (application.state != Application::State::kPaused) fail("it does not pause");
    application.state = Application::State::kRunning;
  }

  // ---- wires and time

  static std::optional<std::size_t> end_of(const std::string& word) {
    if (word == "*") return std::nullopt;
    return number_of(word);
  }

  void add_rule(const std::vector<std::string>& words) {
    static const std::map<std::string, Fate> kFates = {{"lose", Fate::kIsLost},
                                                       {"hold", Fate::kIsHeld},
                                                       {"double", Fate::kIsDoubled},
                                                       {"copy", Fate::kIsCopied}};
    const auto arrow = words.size() < 3 ? std::string::npos : words[1].find("->");
    if (arrow == std::string::npos) fail("`" + words[0] + " FROM->TO TYPE`");
    Match match{end_of(words[1].substr(0, arrow)), end_of(words[1].substr(arrow + 2)), {}};
    wire::MessageType type{};
    if (words[2] != "*" && !parse_type(words[2], type)) fail("no message '" + words[2] + "'");
    if (words[2] != "*") match.type = type;
    std::size_t times = 1;
    if (words.size() > 3 && words[3][0] == 'x') times = number_of(words[3].substr(1));
    net_->rule(match, kFates.at(words[0]), times);
  }

  void release(const std::vector<std::string>&) {
    if (net_->release() == 0) fail("nothing is held");
  }

  /// Bodies go on between any two timers.
  void wait(const std::vector<std::string>& words) {
    if (words.size() != 2) fail("`wait 2ms`");
    const auto end = net_->now() + duration_of(words[1]);
    do {
      settle();
    } while (net_->fire_next_timer(end));
    net_->pass(end - net_->now());
  }

  void cut(const std::vector<std::string>& words) {
    net_->cut_off(node(words, 1), words[0] == "cut");
  }
  void freeze(const std::vector<std::string>& words) {
    net_->freeze(node(words, 1), words[0] == "freeze");
  }

  void join(const std::vector<std::string>& words) {
    const auto seed = words.size() == 4 && words[2] == "via" ? node(words, 3) : 0;
    net_->ask_to_join(node(words, 1), seed);
  }

  void leave(const std::vector<std::string>& words) {
    net_->step(node(words, 1), event::LeaveWanted{});
  }

  void show(const std::vector<std::string>&) {
    for (std::size_t n = 0; n < net_->size(); ++n) tell(n, state_text(net_->core(n)));
  }

  static std::string state_text(const ProtocolCore& core) {
    if (!core.core().member) return "no member";
    auto out = "time " + text(core.core().applied.value);
    if (core.token().held()) out += ", token";
    if (core.catch_up().behind()) out += ", knows of time " + text(core.catch_up().known().value);
    std::string owned;
    std::string copies;
    for (PageIndex page = 0; page < core.core().high_water; ++page) {
      const auto state = core.directory().state(page);
      if (state == PageState::kOwned) owned += " " + text(page);
      if (state == PageState::kCopy) copies += " " + text(page);
    }
    if (!owned.empty()) out += ", owns" + owned;
    if (!copies.empty()) out += ", copies of" + copies;
    return out;
  }

  std::unique_ptr<WiredCores> net_;
  bool fair_ = false;
  std::vector<Application> applications_;
  std::vector<Seen> seen_;
  std::map<std::size_t, std::map<std::size_t, std::uint64_t>> drops_;
  std::string output_;
};

}  // namespace

Scenario parse_scenario(const std::string& text) {
  Scenario scenario;
  ScenarioStep step;
  enum { kBefore, kRule, kOutput } expects = kBefore;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const bool blank = line.empty() || line[0] == '#';
    if (expects == kBefore && blank) {
      step.before += line + "\n";
    } else if (expects == kBefore) {
      step.command = line;
      step.line = number;
      expects = kRule;
    } else if (expects == kRule) {
      if (line != "----") throw std::runtime_error("line " + std::to_string(number) + ": no ----");
      expects = kOutput;
    } else if (line.empty()) {
      scenario.steps.push_back(std::exchange(step, {}));
      step.before = "\n";
      expects = kBefore;
    } else {
      step.output += line + "\n";
    }
  }
  if (expects == kRule) throw std::runtime_error("the last step has no ----");
  if (expects == kOutput) scenario.steps.push_back(std::exchange(step, {}));
  scenario.after = step.before;
  return scenario;
}

std::string scenario_text(const Scenario& scenario) {
  std::string text;
  for (const auto& step : scenario.steps) {
    text += step.before + step.command + "\n----\n" + step.output;
  }
  return text + scenario.after;
}

Scenario run_scenario(const Scenario& scenario) {
  auto result = scenario;
  Runner runner;
  for (auto& step : result.steps) step.output = runner.run(step.command);
  return result;
}

}  // namespace plurix::testing

#include <plurix/sim/explain.h>

#include <charconv>

namespace plurix::sim {
namespace {

constexpr std::string_view kPlanNames[] = {"update", "read", "read-latest", "cancel", "rejoin"};

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

template <class Number>
bool take_number(std::string_view& text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_plan(std::string_view& line, TransactionPlan& plan) {
  if (!take_prefix(line, " ")) return false;
  const auto open = line.find('(');
  if (open == std::string_view::npos) return false;
  const auto name = line.substr(0, open);
  line.remove_prefix(open + 1);
  bool known = false;
  for (std::size_t i = 0; i < std::size(kPlanNames); ++i) {
    if (name != kPlanNames[i]) continue;
    plan.kind = static_cast<TransactionKind>(i);
    known = true;
  }
  if (!known) return false;
  while (!take_prefix(line, " )")) {
    Step step;
    step.write = line.starts_with(" w");
    if (!step.write && !line.starts_with(" r")) return false;
    line.remove_prefix(2);
    if (!take_number(line, step.key) || step.key >= kKeys) return false;
    plan.steps.push_back(step);
  }
  return true;
}

bool parse_program(std::string_view text, Program& program) {
  while (!text.empty()) {
    auto line = take_line(text);
    if (line.empty()) continue;
    std::size_t node = 0;
    if (!take_prefix(line, "node ") || !take_number(line, node) || node != program.nodes.size() ||
        node >= kMaxNodes || !take_prefix(line, ":")) {
      return false;
    }
    auto& plans = program.nodes.emplace_back();
    while (!line.empty()) {
      if (!take_plan(line, plans.emplace_back())) return false;
    }
  }
  return !program.nodes.empty();
}

/// One attempt to make a case smaller; false when there is nothing left to try.
class Shrinker {
 public:
  Shrinker(Case c, const std::function<bool(const Case&)>& fails, int tries)
      : best_(std::move(c)), fails_(fails), tries_(tries) {}

  Case run() {
    bool smaller = true;
    while (smaller && tries_ > 0) {
      smaller = false;
      smaller |= drop_timed_faults();
      smaller |= quiet_links();
      smaller |= drop_transactions();
      smaller |= drop_steps();
    }
    return std::move(best_);
  }

 private:
  bool accept(Case candidate) {
    if (tries_ <= 0) return false;
    --tries_;
    if (!fails_(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }

  bool drop_timed_faults() {
    bool any = false;
    for (std::size_t i = best_.faults.timed.size(); i-- > 0;) {
      auto candidate = best_;
      candidate.faults.timed.erase(candidate.faults.timed.begin() + static_cast<std::ptrdiff_t>(i));
      any |= accept(std::move(candidate));
    }
    return any;
  }

  bool quiet_links() {
    bool any = false;
    for (const auto field : {&LinkFaults::loss, &LinkFaults::duplication, &LinkFaults::reordering,
                             &LinkFaults::corruption}) {
      if (best_.faults.links.*field == 0) continue;
      auto candidate = best_;
      candidate.faults.links.*field = 0;
      any |= accept(std::move(candidate));
    }
    return any;
  }

  /// Takes away runs of transactions, long ones first.
  bool drop_transactions() {
    bool any = false;
    for (std::size_t node = 0; node < best_.program.nodes.size(); ++node) {
      for (auto length = best_.program.nodes[node].size(); length > 0; length /= 2) {
        for (std::size_t at = 0; at + length <= best_.program.nodes[node].size();) {
          auto candidate = best_;
          auto& plans = candidate.program.nodes[node];
          const auto first = plans.begin() + static_cast<std::ptrdiff_t>(at);
          plans.erase(first, first + static_cast<std::ptrdiff_t>(length));
          if (accept(std::move(candidate))) {
            any = true;
          } else {
            at += length;
          }
          if (tries_ <= 0) return any;
        }
      }
    }
    return any;
  }

  bool drop_steps() {
    bool any = false;
    for (auto node = best_.program.nodes.size(); node-- > 0;) {
      for (auto plan = best_.program.nodes[node].size(); plan-- > 0;) {
        for (auto step = best_.program.nodes[node][plan].steps.size(); step-- > 0;) {
          auto candidate = best_;
          auto& steps = candidate.program.nodes[node][plan].steps;
          steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(step));
          any |= accept(std::move(candidate));
        }
      }
    }
    return any;
  }

  Case best_;
  const std::function<bool(const Case&)>& fails_;
  int tries_;
};

std::string_view message_name(std::uint32_t type) {
  static constexpr std::string_view kNames[] = {"?",
                                                "PageRequest",
                                                "PageReply",
                                                "PageRedirect",
                                                "TokenRequest",
                                                "TokenGrant",
                                                "TokenAck",
                                                "CommitNotice",
                                                "CatchUpRequest",
                                                "CommitRecords",
                                                "LogExhausted",
                                                "SyncRequest",
                                                "SyncReply",
                                                "JoinRequest",
                                                "JoinChallenge",
                                                "JoinGrant",
                                                "JoinRefused",
                                                "JoinWait",
                                                "TimeBeacon",
                                                "TimeQuery",
                                                "TimeReply",
                                                "AdoptRequest",
                                                "LeaveRequest"};
  static_assert(std::size(kNames) == wire::kLastType + 1u);
  return type < std::size(kNames) ? kNames[type] : kNames[0];
}

std::string words(const TraceRecord& r) {
  const auto number = [](auto value) { return std::to_string(value); };
  switch (r.kind) {
    case TraceKind::kAttemptBegin:
      return "begin " + number(r.a);
    case TraceKind::kAttemptAbort:
      return "abort " + number(r.a) + (r.page == kNoPage ? "" : " p" + number(r.page));
    case TraceKind::kCommit:
      return "COMMIT " + number(r.a) + " pages";
    case TraceKind::kReadOnlyEnd:
      return "read done";
    case TraceKind::kJoined:
      return "joined";
    case TraceKind::kLeft:
      return "left";
    case TraceKind::kResync:
      return "resync";
    case TraceKind::kSend:
      return std::string(message_name(r.a)) + (r.b == kEveryone ? ">*" : ">" + number(r.b));
    default:
      return "event " + number(static_cast<unsigned>(r.kind));
  }
}

}  // namespace

std::string to_string(const Case& c) {
  return "seed " + std::to_string(c.seed) + "\nstrategy " + c.strategy + "\nfaults " +
         to_string(c.faults) + "\n" + to_string(c.program);
}

std::optional<Case> parse_case(std::string_view text) {
  Case c;
  auto line = take_line(text);
  if (!take_prefix(line, "seed ") || !take_number(line, c.seed) || !line.empty()) return {};
  line = take_line(text);
  if (!take_prefix(line, "strategy ")) return {};
  c.strategy = std::string(line);
  line = take_line(text);
  if (!take_prefix(line, "faults ")) return {};
  const auto faults = parse_fault_schedule(line);
  if (!faults || !parse_program(text, c.program)) return {};
  c.faults = *faults;
  return c;
}

Case shrink(Case c, const std::function<bool(const Case&)>& fails, int tries) {
  return Shrinker(std::move(c), fails, tries).run();
}

std::string lanes(const RunTrace& trace, std::size_t nodes, std::size_t lines) {
  constexpr std::size_t kWidth = 22;
  const auto pad = [](std::string text) {
    text.resize(kWidth, ' ');
    return text;
  };
  std::string out = "        us  ";
  for (std::size_t node = 0; node < nodes; ++node) out += pad("node " + std::to_string(node));
  out += "\n";
  const auto skip = trace.newest.size() > lines ? trace.newest.size() - lines : 0;
  for (auto i = skip; i < trace.newest.size(); ++i) {
    const auto& [at, r] = trace.newest[i];
    auto time = std::to_string((at.ns - 1'000'000'000) / 1000);
    if (time.size() < 10) time.insert(0, 10 - time.size(), ' ');
    out += time + "  ";
    const auto lane = r.node < nodes ? r.node : 0u;
    out += std::string(lane * kWidth, ' ') + words(r) + " @" + std::to_string(r.commit_time) + "\n";
  }
  return out;
}

}  // namespace plurix::sim

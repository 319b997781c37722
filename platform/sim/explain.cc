#include <plurix/sim/explain.h>

#include <algorithm>
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
                                                "LeaveRequest",
                                                "EpochOpen",
                                                "EpochReport",
                                                "EpochBegin",
                                                "EpochQuery",
                                                "DeathNotice",
                                                "OrphanCall",
                                                "OrphanClaim",
                                                "EpochLease",
                                                "ImageRequest",
                                                "ImagePage",
                                                "ImageNotice"};
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
    case TraceKind::kEpoch:
      return "EPOCH " + number(r.a);
    case TraceKind::kSend:
      return std::string(message_name(r.a)) + (r.page == kNoPage ? "" : " p" + number(r.page)) +
             (r.b == kEveryone ? " > all" : " > " + number(r.b));
    default:
      return "event " + number(static_cast<unsigned>(r.kind));
  }
}

constexpr std::size_t kLaneWidth = 26;

std::string padded(std::string text) {
  text.resize(kLaneWidth, ' ');
  return text;
}

bool says_the_same(const TraceRecord& a, const TraceRecord& b) {
  return a.node == b.node && a.kind == b.kind && a.a == b.a && a.b == b.b && a.page == b.page &&
         a.commit_time == b.commit_time;
}

struct Event {
  const TimedRecord* first;
  std::size_t times;
};

/// A node that waits says the same over and over: what it has said within its last few words is
/// counted, not shown again.
std::vector<Event> without_repetitions(const RunTrace& trace) {
  constexpr std::size_t kMemory = 24;
  std::vector<Event> events;
  for (const auto& timed : trace.newest) {
    const auto memory = std::min(events.size(), kMemory);
    const auto said = std::find_if(
        events.rbegin(), events.rbegin() + static_cast<std::ptrdiff_t>(memory),
        [&](const Event& event) { return says_the_same(event.first->record, timed.record); });
    if (said != events.rbegin() + static_cast<std::ptrdiff_t>(memory)) {
      ++said->times;
    } else {
      events.push_back({&timed, 1});
    }
  }
  return events;
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

std::string lanes(const RunTrace& trace, std::size_t nodes, std::size_t lines) {
  std::string out = "        us  ";
  for (std::size_t node = 0; node < nodes; ++node) {
    const auto name = "node " + std::to_string(node);
    out += node + 1 < nodes ? padded(name) : name;
  }
  out += "\n";
  const auto all = without_repetitions(trace);
  for (auto i = all.size() > lines ? all.size() - lines : 0; i < all.size(); ++i) {
    const auto& [event, times] = all[i];
    auto time = std::to_string((event->at.ns - 1'000'000'000) / 1000);
    if (time.size() < 10) time.insert(0, 10 - time.size(), ' ');
    const auto lane = event->record.node < nodes ? event->record.node : 0u;
    out += time + "  " + std::string(lane * kLaneWidth, ' ') + words(event->record) + " @" +
           std::to_string(event->record.commit_time);
    if (times > 1) out += " (" + std::to_string(times) + " times)";
    out += "\n";
  }
  return out;
}

}  // namespace plurix::sim

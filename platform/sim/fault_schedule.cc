#include <plurix/sim/fault_schedule.h>

#include <algorithm>
#include <charconv>

namespace plurix::sim {
namespace {

constexpr struct {
  FaultKind kind;
  std::string_view name;
} kKinds[] = {{FaultKind::kCut, "cut"},       {FaultKind::kIsolate, "isolate"},
              {FaultKind::kPause, "pause"},   {FaultKind::kCrash, "crash"},
              {FaultKind::kReplay, "replay"}, {FaultKind::kGarbage, "garbage"},
              {FaultKind::kClock, "clock"},   {FaultKind::kDisk, "disk"}};
static_assert(std::size(kKinds) == kFaultKinds);

std::string_view name_of(FaultKind kind) {
  for (const auto& entry : kKinds) {
    if (entry.kind == kind) return entry.name;
  }
  return "?";
}

/// Takes words and numbers off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() {
    skip_spaces();
    return rest_.empty();
  }

  bool take(std::string_view word) {
    skip_spaces();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  template <class Number>
  bool number(Number& out) {
    skip_spaces();
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

 private:
  void skip_spaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

bool parse_links(Scanner& in, LinkFaults& links) {
  return in.take("loss=") && in.number(links.loss) && in.take("duplication=") &&
         in.number(links.duplication) && in.take("reordering=") && in.number(links.reordering) &&
         in.take("corruption=") && in.number(links.corruption) && in.take("delay=") &&
         in.number(links.shortest_delay.ns) && in.take("..") && in.number(links.longest_delay.ns) &&
         links.shortest_delay.ns >= 0 && links.shortest_delay <= links.longest_delay;
}

bool parse_timed(Scanner& in, TimedFault& fault) {
  bool known = false;
  for (const auto& entry : kKinds) {
    if (!in.take(entry.name)) continue;
    fault.kind = entry.kind;
    known = true;
    break;
  }
  if (!known || !in.number(fault.node)) return false;
  if (fault.kind == FaultKind::kCut && !(in.take(">") && in.number(fault.other))) return false;
  if (fault.kind == FaultKind::kClock &&
      !(in.take("speed") && in.number(fault.speed) && fault.speed > 0)) {
    return false;
  }
  return in.take("at") && in.number(fault.at_us) && in.take("us") && in.take("for") &&
         in.number(fault.for_us) && in.take("us");
}

}  // namespace

bool FaultSchedule::has(FaultKind kind) const {
  for (const auto& fault : timed) {
    if (fault.kind == kind) return true;
  }
  return false;
}

void keep_clocks_within_the_lease(FaultSchedule& schedule) {
  if (!schedule.has_crash()) return;
  for (auto& fault : schedule.timed) {
    if (fault.kind == FaultKind::kClock) fault.speed = std::clamp(fault.speed, 500u, 2'000u);
  }
}

std::string to_string(const FaultSchedule& schedule) {
  const auto& l = schedule.links;
  auto text = "loss=" + std::to_string(l.loss) + " duplication=" + std::to_string(l.duplication) +
              " reordering=" + std::to_string(l.reordering) +
              " corruption=" + std::to_string(l.corruption) +
              " delay=" + std::to_string(l.shortest_delay.ns) + ".." +
              std::to_string(l.longest_delay.ns);
  for (const auto& fault : schedule.timed) {
    text += "; ";
    text += name_of(fault.kind);
    text += " " + std::to_string(fault.node);
    if (fault.kind == FaultKind::kCut) text += ">" + std::to_string(fault.other);
    if (fault.kind == FaultKind::kClock) text += " speed " + std::to_string(fault.speed);
    text += " at " + std::to_string(fault.at_us) + "us for " + std::to_string(fault.for_us) + "us";
  }
  return text;
}

std::optional<FaultSchedule> parse_fault_schedule(std::string_view text) {
  Scanner in(text);
  FaultSchedule schedule;
  if (!parse_links(in, schedule.links)) return std::nullopt;
  while (!in.done()) {
    TimedFault fault;
    if (!in.take(";") || !parse_timed(in, fault)) return std::nullopt;
    schedule.timed.push_back(fault);
  }
  return schedule;
}

std::optional<FaultMenu> FaultMenu::parse(std::string_view text) {
  if (text == "all") return all();
  FaultMenu menu;
  if (text == "none") return menu;
  const struct {
    std::string_view name;
    bool FaultMenu::* field;
  } fields[] = {{"loss", &FaultMenu::loss},
                {"duplication", &FaultMenu::duplication},
                {"reordering", &FaultMenu::reordering},
                {"delay", &FaultMenu::delay},
                {"corruption", &FaultMenu::corruption},
                {"partition", &FaultMenu::partition},
                {"pause", &FaultMenu::pause},
                {"hostile", &FaultMenu::hostile},
                {"clock", &FaultMenu::clock},
                {"crash", &FaultMenu::crash},
                {"disk", &FaultMenu::disk}};
  while (true) {
    const auto comma = text.find(',');
    const auto word = text.substr(0, comma);
    bool known = false;
    for (const auto& field : fields) {
      if (word != field.name) continue;
      menu.*field.field = true;
      known = true;
    }
    if (!known) return std::nullopt;
    if (comma == std::string_view::npos) return menu;
    text.remove_prefix(comma + 1);
  }
}

FaultSchedule random_schedule(const FaultMenu& menu, std::uint32_t nodes, Duration length,
                              Prng& prng) {
  FaultSchedule schedule;
  const auto up_to = [&](std::uint64_t limit) {
    return static_cast<std::uint32_t>(prng.below(limit + 1));
  };
  if (menu.loss) schedule.links.loss = up_to(60'000);
  if (menu.duplication) schedule.links.duplication = up_to(60'000);
  if (menu.reordering) schedule.links.reordering = up_to(200'000);
  if (menu.corruption) schedule.links.corruption = up_to(20'000);
  if (menu.delay) schedule.links.longest_delay = microseconds(20 + up_to(400));
  const auto length_us = static_cast<std::uint64_t>(length.ns / 1000);
  const auto add = [&](FaultKind kind, std::uint64_t longest_us) {
    TimedFault fault{kind, up_to(nodes - 1), 0, up_to(length_us), 0};
    if (kind == FaultKind::kCut) fault.other = up_to(nodes - 1);
    if (longest_us > 0) fault.for_us = up_to(longest_us);
    schedule.timed.push_back(fault);
  };
  // A single fault in a long run is met by luck: as many as leave some quiet between them.
  const auto most = static_cast<std::uint32_t>(std::max<std::uint64_t>(3, length_us / 4'000));
  for (std::uint32_t i = up_to(menu.partition ? most : 0); i > 0; --i) {
    add(prng.chance(500'000) ? FaultKind::kCut : FaultKind::kIsolate, 10'000);
  }
  for (std::uint32_t i = up_to(menu.pause ? most : 0); i > 0; --i) add(FaultKind::kPause, 10'000);
  for (std::uint32_t i = up_to(menu.hostile ? 2 * most : 0); i > 0; --i) {
    add(prng.chance(500'000) ? FaultKind::kReplay : FaultKind::kGarbage, 0);
  }
  const bool crashes = menu.crash && nodes > 1 && prng.chance(500'000);
  for (std::uint32_t i = up_to(menu.clock ? most : 0); i > 0; --i) {
    add(FaultKind::kClock, 50'000);
    schedule.timed.back().speed = prng.chance(500'000) ? 100 + up_to(800) : 1'100 + up_to(3'000);
  }
  // Silence of a length for which a node is given up, with and without a death behind it.
  if (crashes) {
    for (std::uint32_t i = 1 + up_to(std::max(3u, most / 6)); i > 0; --i) {
      add(FaultKind::kCrash, 30'000);
      schedule.timed.back().node = 1 + up_to(nodes - 2);
    }
    if (menu.partition) add(FaultKind::kIsolate, 60'000);
    if (menu.pause) add(FaultKind::kPause, 40'000);
  }
  // Images, and a PageServer that crashes with them.
  if (crashes && menu.disk && prng.chance(500'000)) {
    for (std::uint32_t i = 1 + up_to(most); i > 0; --i) {
      add(FaultKind::kDisk, 0);
      schedule.timed.back().node = 0;
    }
    for (std::uint32_t i = up_to(2); i > 0; --i) {
      add(FaultKind::kCrash, 30'000);
      schedule.timed.back().node = 0;
    }
  }
  keep_clocks_within_the_lease(schedule);
  return schedule;
}

}  // namespace plurix::sim

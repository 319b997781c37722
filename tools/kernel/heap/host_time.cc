#include "heap/host_time.h"

#include <charconv>

namespace plurix::kernel {
namespace {

using baremetal::Text;

// A busy host may need long for an answer; one that never answers must not be waited for long.
constexpr Duration kPatience = milliseconds(1'000);
constexpr unsigned kMostUnanswered = 8;

/// The time in "time NUMBER NANOSECONDS", if it answers that question.
std::optional<std::int64_t> answer_in(std::string_view line, std::uint32_t number) noexcept {
  constexpr std::string_view kWord = "time ";
  if (!line.starts_with(kWord)) return {};
  std::uint32_t answered = 0;
  std::int64_t ns = 0;
  const auto* end = line.data() + line.size();
  const auto first = std::from_chars(line.data() + kWord.size(), end, answered);
  if (first.ec != std::errc{} || answered != number || first.ptr == end) return {};
  const auto second = std::from_chars(first.ptr + 1, end, ns);
  if (second.ec != std::errc{}) return {};
  return ns;
}

std::optional<TimePair> ask_once(baremetal::Machine& machine, CommandLine& commands,
                                 std::uint32_t number) noexcept {
  const auto begin = machine.clock.now();
  machine.say(Text() << "{\"event\":\"time\",\"number\":" << number << "}\n");
  while (machine.clock.now() - begin < kPatience) {
    const auto line = commands.next();
    if (!line) continue;
    const auto end = machine.clock.now();
    const auto half = (end - begin).ns / 2;
    if (const auto ns = answer_in(*line, number)) {
      return TimePair{Instant{begin.ns + half}, Instant{*ns}, Duration{half}};
    }
  }
  return {};
}

}  // namespace

bool HostTime::ask(baremetal::Machine& machine, CommandLine& commands) noexcept {
  TimePair best;
  unsigned unanswered = 0;
  for (unsigned i = 0; i < kTimes; ++i) {
    const auto pair = ask_once(machine, commands, ++asked_);
    if (pair && pair->error < best.error) best = *pair;
    const bool never_answers = !known_ && best.error == TimePair{}.error;
    if (!pair && (++unanswered == kMostUnanswered || never_answers)) break;
  }
  const bool answered = best.error < TimePair{}.error;
  if (!answered) return false;
  if (known_) {
    clock_.last = best;
  } else {
    clock_.first = best;
  }
  clock_.is_compared = known_;
  known_ = true;
  return true;
}

}  // namespace plurix::kernel

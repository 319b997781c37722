#include "operator.h"

#include <plurix/heap/verify.h>

#include <algorithm>

namespace plurix::kernel {
namespace {

using baremetal::SerialPort;
using baremetal::Text;

constexpr Duration kLook = milliseconds(10);     // at the serial line, while working
constexpr Duration kServe = milliseconds(2);     // between looks, while not
constexpr Duration kStatus = milliseconds(200);  // tell how it goes

void put_address(Text& text, const ethernet::MacAddress& address) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = 0; i < 6; ++i) {
    const auto byte = static_cast<unsigned>(address.bytes[i]);
    if (i > 0) text.put(':');
    text.put(kHex[byte >> 4]);
    text.put(kHex[byte & 15]);
  }
}

const char* words_for(AttemptEnd end) noexcept {
  switch (end) {
    case AttemptEnd::kCommitted:
      return "committed";
    case AttemptEnd::kAborted:
      return "aborted";
    case AttemptEnd::kCancelled:
      return "cancelled";
    case AttemptEnd::kUnknown:
      return "unknown";
  }
  return "";
}

}  // namespace

Operator::Operator(Parts& parts, Instant entered) noexcept
    : parts_(parts),
      entered_(entered),
      log_(parts.machine.memory, parts.machine.boot.number("history", 20'000)),
      work_(parts.node(), log_, parts.machine.boot.number("seed", 1)),
      commands_(parts.machine.console) {}

bool Operator::run_on_command() noexcept {
  (void)host_time_.ask(parts_.machine, commands_);
  say_ready();
  for (;;) {
    const auto line = commands_.next();
    if (!line) {
      parts_.node().serve(parts_.node().now() + kServe);
    } else if (!obey(*line)) {
      return parts_.node().leave(parts_.node().now() + milliseconds(2'000));
    }
  }
}

bool Operator::run_by_itself() noexcept {
  say_ready();
  (void)work_.setup();
  const auto seconds = static_cast<std::int64_t>(parts_.machine.boot.number("seconds", 1));
  work_until(parts_.node().now() + milliseconds(1'000 * seconds));
  say_status("ended");
  const bool right = say_verification(true);
  save_history();
  return parts_.node().leave(parts_.node().now() + milliseconds(2'000)) && right;
}

bool Operator::obey(std::string_view line) noexcept {
  if (line == "quit") return false;
  if (line == "setup") {
    (void)work_.setup();
    parts_.machine.say(Text() << "{\"event\":\"setup\"}\n");
  } else if (line == "start") {
    work();
    say_status("stopped");
  } else if (line == "verify" || line == "verify heap") {
    (void)say_verification(line != "verify");
  } else if (line.starts_with("save ")) {
    (void)host_time_.ask(parts_.machine, commands_);
    save_history();
  } else if (line == "collect") {  // there is no collector here, and so nothing to wait for
    parts_.machine.say(Text() << "{\"event\":\"collected\"}\n");
  } else if (line == "stat") {
    say_status("stat");
  } else if (line == "counter") {
    count();
  } else if (line == "names" || line.starts_with("names ")) {
    line.remove_prefix(std::min(line.size(), std::string_view("names ").size()));
    say_names(line);
  } else if (!line.starts_with("time ")) {  // a late answer is no command
    parts_.machine.say(Text() << "{\"event\":\"failed\",\"code\":2,\"words\":\"a kernel knows no "
                              << "such command\"}\n");
  }
  return true;
}

// One number for the whole cluster: whoever asks next, on whichever machine, gets the next one.
void Operator::count() noexcept {
  const auto outcome = parts_.node().try_run([](Transaction& t) {
    auto counter = t.root<long>("console/counter");
    return ++*counter.mut();
  });
  if (!outcome.committed()) return;
  parts_.machine.say(Text() << "{\"event\":\"counter\",\"value\":" << *outcome.value << "}\n");
}

// A body may run more than once, so what it found is told when it has ended.
void Operator::say_names(std::string_view directory) noexcept {
  const auto outcome = parts_.node().read_only(Freshness::kLatest, [&](Transaction& t) {
    Text names;
    (void)t.list_names(directory, [&](const NameListing& name) {
      if (!names.view().empty()) names << ",";
      names << "\"" << name.name << (name.is_directory ? "/\"" : "\"");
    });
    return names;
  });
  if (!outcome.committed()) return;
  parts_.machine.console.write("{\"event\":\"names\",\"names\":[");
  parts_.machine.say(*outcome.value);
  parts_.machine.console.write("]}\n");
}

void Operator::work() noexcept {
  auto next_look = parts_.node().now();
  auto next_status = next_look + kStatus;
  for (;;) {
    if (work_.step() == Status::kUnknown) return;
    const auto now = parts_.node().now();
    if (now < next_look) continue;
    next_look = now + kLook;
    if (const auto line = commands_.next(); line && *line == "stop") return;
    if (now < next_status) continue;
    next_status = now + kStatus;
    say_status("status");
  }
}

void Operator::work_until(Instant end) noexcept {
  while (parts_.node().now() < end && work_.step() != Status::kUnknown) {
  }
}

// "kernel_us" begins with the first line of C++; "since_power_on_us" assumes that the processor's
// counter began with the power.
void Operator::say_ready() noexcept {
  const auto& clock = parts_.machine.clock;
  const auto& core = parts_.node().protocol().core();
  Text text;
  text << "{\"event\":\"ready\",\"node\":" << parts_.node().id() << ",\"address\":\"";
  put_address(text, parts_.card.address());
  text << "\",\"fault_source\":\"page_tables\",\"receive\":\"rtl8139\",\"incarnation\":"
       << parts_.incarnation << ",\"kernel_us\":" << entered_.ns / 1000 << ",\"since_power_on_us\":"
       << entered_.ns / 1000 + static_cast<std::int64_t>(clock.first_tick() * 1'000 /
                                                         (clock.ticks_per_second() / 1'000))
       << ",\"page_fetches\":" << core.counters.fetches << "}\n";
  parts_.machine.say(text);
}

void Operator::say_status(std::string_view event) noexcept {
  const auto& counts = log_.counts();
  const auto card = parts_.card.counters();
  Text text;
  text << "{\"event\":\"" << event << "\",\"node\":" << parts_.node().id()
       << ",\"ns\":" << host_time_.at(parts_.node().now().ns)
       << ",\"committed\":" << counts.committed << ",\"read_only\":" << counts.read_only
       << ",\"aborted\":" << counts.aborted << ",\"cancelled\":" << counts.cancelled
       << ",\"unknown\":" << counts.unknown
       << ",\"page_fetches\":" << parts_.node().protocol().core().counters.fetches
       << ",\"commit_time\":" << parts_.node().commit_time().value
       << ",\"most_restarts\":" << parts_.node().counters().most_restarts
       << ",\"interrupts\":" << parts_.node().counters().interrupts
       << ",\"bodies_cut\":" << parts_.node().counters().bodies_cut
       << ",\"dropped\":" << card.dropped_bad + card.unsent_queue_full << "}\n";
  parts_.machine.say(text);
}

bool Operator::say_verification(bool whole_heap) noexcept {
  const auto sum = work_.sum();
  bool ok = sum == workloads::bank::kTotalCents && work_.wrong_audits() == 0;
  Text text;
  text << workloads::bank::kAccounts << " accounts hold " << sum.value_or(-1) << " cents of "
       << workloads::bank::kTotalCents;
  if (whole_heap) {
    const auto report =
        parts_.node().read_only(Freshness::kLatest, [](Transaction& t) { return verify_heap(t); });
    const bool sound = report.committed() && report.value->ok();
    text << (sound ? "; the heap is sound" : "; the heap is NOT sound");
    ok = ok && sound;
  }
  parts_.machine.say(Text() << "{\"event\":\"verified\",\"ok\":" << ok << ",\"words\":\""
                            << text.view() << "\",\"numbers\":{\"sum\":" << sum.value_or(-1)
                            << ",\"expected\":" << workloads::bank::kTotalCents << "}}\n");
  return ok;
}

void Operator::save_history() noexcept {
  SerialPort second(SerialPort::kSecond);
  auto& port = second.start() ? second : parts_.machine.console;
  for (const auto& attempt : log_.attempts()) write_attempt(port, attempt);
  parts_.machine.say(Text() << "{\"event\":\"saved\",\"ok\":true,\"attempts\":"
                            << log_.attempts().size() << ",\"full\":" << log_.full()
                            << ",\"clock_error_ns\":" << host_time_.error().ns << "}\n");
}

void Operator::write_attempt(SerialPort& port, const LoggedAttempt& attempt) noexcept {
  const auto error = host_time_.error().ns;
  Text head;
  head << "{\"node\":" << parts_.node().id() << ",\"incarnation\":" << parts_.incarnation
       << ",\"tx\":" << attempt.tx << ",\"attempt\":" << attempt.number
       << ",\"epoch\":" << attempt.epoch
       << ",\"begin_ns\":" << host_time_.at(attempt.begin_ns) - error
       << ",\"end_ns\":" << host_time_.at(attempt.end_ns) + error << ",\"status\":\""
       << words_for(attempt.end) << "\",\"commit_time\":" << attempt.commit_time
       << ",\"read_only\":" << attempt.read_only << (attempt.strict ? ",\"strict\":true" : "")
       << ",\"ops\":[";
  port.write(head.view());
  bool first = true;
  for (const auto& operation : log_.operations_of(attempt)) {
    port.write((Text() << (first ? "[\"" : ",[\"") << (operation.write ? "w" : "r")
                       << "\",\"account" << operation.key << "\"," << operation.value << "]")
                   .view());
    first = false;
  }
  port.write("]}\n");
}

}  // namespace plurix::kernel

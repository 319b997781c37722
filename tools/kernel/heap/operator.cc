#include "heap/operator.h"

#include <plurix/heap/verify.h>

#include <algorithm>

#include "heap/measure.h"

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

Operator::Operator(Resident& resident) noexcept
    : resident_(resident),
      machine_(resident.machine()),
      node_(resident),
      log_(resident, machine_.boot.number("history", 20'000)),
      work_(node_, log_, machine_.boot.number("seed", 1)),
      commands_(machine_.console) {}

bool Operator::run_on_command() noexcept {
  (void)host_time_.ask(machine_, commands_);
  say_ready();
  resident_.bring_whole_kernel();
  for (;;) {
    const auto line = commands_.next();
    if (!line) {
      node_.serve(node_.now() + kServe);
    } else if (!obey(*line)) {
      return node_.leave(node_.now() + milliseconds(2'000));
    }
  }
}

bool Operator::run_by_itself() noexcept {
  say_ready();
  resident_.bring_whole_kernel();
  (void)work_.setup();
  const auto seconds = static_cast<std::int64_t>(machine_.boot.number("seconds", 1));
  work_until(node_.now() + milliseconds(1'000 * seconds));
  say_status("ended");
  const bool right = say_verification(true);
  save_history();
  return node_.leave(node_.now() + milliseconds(2'000)) && right;
}

bool Operator::obey(std::string_view line) noexcept {
  if (line == "quit") return false;
  if (line == "setup") {
    (void)work_.setup();
    machine_.say(Text() << "{\"event\":\"setup\"}\n");
  } else if (line == "start") {
    work();
    say_status("stopped");
  } else if (line == "verify" || line == "verify heap") {
    (void)say_verification(line != "verify");
  } else if (line.starts_with("save ")) {
    (void)host_time_.ask(machine_, commands_);
    save_history();
  } else if (line == "collect") {  // there is no collector here, and so nothing to wait for
    machine_.say(Text() << "{\"event\":\"collected\"}\n");
  } else if (line == "stat") {
    say_status("stat");
  } else if (line == "counter") {
    count();
  } else if (line == "measure") {
    say_measured();
  } else if (line == "lend") {
    machine_.say(Text() << "{\"event\":\"lent\",\"ok\":" << lend_pages(node_) << "}\n");
  } else if (line == "fetch") {
    say_fetched();
  } else if (line == "names" || line.starts_with("names ")) {
    line.remove_prefix(std::min(line.size(), std::string_view("names ").size()));
    say_names(line);
  } else if (!line.starts_with("time ")) {  // a late answer is no command
    machine_.say(Text() << "{\"event\":\"failed\",\"code\":2,\"words\":\"a kernel knows no "
                        << "such command\"}\n");
  }
  return true;
}

void Operator::say_measured() noexcept {
  const auto measured = measure(node_);
  machine_.say(Text() << "{\"event\":\"measured\",\"objects\":" << measured.objects
                      << ",\"allocation_ns\":" << measured.allocation_ns
                      << ",\"assignment_ns\":" << measured.assignment_ns << "}\n");
}

void Operator::say_fetched() noexcept {
  const auto fetched = fetch_lent_pages(node_).value_or(Fetched{});
  machine_.say(Text() << "{\"event\":\"fetched\",\"pages\":" << kLentPages
                      << ",\"one_by_one_us\":" << fetched.one_by_one.ns / 1'000
                      << ",\"together_us\":" << fetched.together.ns / 1'000 << "}\n");
}

// One number for the whole cluster: whoever asks next, on whichever machine, gets the next one.
void Operator::count() noexcept {
  const auto outcome = node_.try_run([](Transaction& t) {
    auto counter = t.root<long>("console/counter");
    return ++*counter.mut();
  });
  if (!outcome.committed()) return;
  machine_.say(Text() << "{\"event\":\"counter\",\"value\":" << *outcome.value << "}\n");
}

// A body may run more than once, so what it found is told when it has ended.
void Operator::say_names(std::string_view directory) noexcept {
  const auto outcome = node_.read_only(Freshness::kLatest, [&](Transaction& t) {
    Text names;
    (void)t.list_names(directory, [&](const NameListing& name) {
      if (!names.view().empty()) names << ",";
      names << "\"" << name.name << (name.is_directory ? "/\"" : "\"");
    });
    return names;
  });
  if (!outcome.committed()) return;
  machine_.console.write("{\"event\":\"names\",\"names\":[");
  machine_.say(*outcome.value);
  machine_.console.write("]}\n");
}

void Operator::work() noexcept {
  auto next_look = node_.now();
  auto next_status = next_look + kStatus;
  for (;;) {
    if (work_.step() == Status::kUnknown) return;
    const auto now = node_.now();
    if (now < next_look) continue;
    next_look = now + kLook;
    if (const auto line = commands_.next(); line && *line == "stop") return;
    if (now < next_status) continue;
    next_status = now + kStatus;
    say_status("status");
  }
}

void Operator::work_until(Instant end) noexcept {
  while (node_.now() < end && work_.step() != Status::kUnknown) {
  }
}

// Times begin with the first line of C++; what was before it is told for a processor whose counter
// began with the power.
void Operator::say_ready() noexcept {
  const auto& clock = machine_.clock;
  const auto& core = node_.protocol().core();
  const auto start = resident_.start();
  Text text;
  text << "{\"event\":\"ready\",\"node\":" << node_.id() << ",\"address\":\"";
  put_address(text, resident_.card().address);
  text << "\",\"fault_source\":\"page_tables\",\"receive\":\"rtl8139\",\"incarnation\":"
       << start.incarnation << ",\"kernel_us\":" << start.kernel_entered.ns / 1000
       << ",\"member_us\":" << start.member.ns / 1000 << ",\"ready_us\":" << node_.now().ns / 1000
       << ",\"before_kernel_us\":"
       << clock.first_tick() * 1'000 / (clock.ticks_per_second() / 1'000)
       << ",\"put_kernel_into_heap\":" << start.put_kernel_into_heap
       << ",\"kernel_pages\":" << start.kernel_pages
       << ",\"kernel_requests\":" << start.kernel_requests
       << ",\"page_fetches\":" << core.counters.fetches << "}\n";
  machine_.say(text);
}

void Operator::say_status(std::string_view event) noexcept {
  const auto& counts = log_.counts();
  Text text;
  text << "{\"event\":\"" << event << "\",\"node\":" << node_.id()
       << ",\"ns\":" << host_time_.at(node_.now().ns) << ",\"committed\":" << counts.committed
       << ",\"read_only\":" << counts.read_only << ",\"aborted\":" << counts.aborted
       << ",\"cancelled\":" << counts.cancelled << ",\"unknown\":" << counts.unknown
       << ",\"page_fetches\":" << node_.protocol().core().counters.fetches
       << ",\"commit_time\":" << node_.commit_time().value
       << ",\"most_restarts\":" << node_.counters().most_restarts
       << ",\"interrupts\":" << node_.counters().interrupts
       << ",\"bodies_cut\":" << node_.counters().bodies_cut
       << ",\"dropped\":" << resident_.card().dropped << "}\n";
  machine_.say(text);
}

bool Operator::say_verification(bool whole_heap) noexcept {
  const auto sum = work_.sum();
  bool ok = sum == workloads::bank::kTotalCents && work_.wrong_audits() == 0;
  Text text;
  text << workloads::bank::kAccounts << " accounts hold " << sum.value_or(-1) << " cents of "
       << workloads::bank::kTotalCents;
  if (whole_heap) {
    const auto report =
        node_.read_only(Freshness::kLatest, [](Transaction& t) { return verify_heap(t); });
    const bool sound = report.committed() && report.value->ok();
    text << (sound ? "; the heap is sound" : "; the heap is NOT sound");
    ok = ok && sound;
  }
  machine_.say(Text() << "{\"event\":\"verified\",\"ok\":" << ok << ",\"words\":\"" << text.view()
                      << "\",\"numbers\":{\"sum\":" << sum.value_or(-1)
                      << ",\"expected\":" << workloads::bank::kTotalCents << "}}\n");
  return ok;
}

void Operator::save_history() noexcept {
  SerialPort second(SerialPort::kSecond);
  auto& port = second.start() ? second : machine_.console;
  for (const auto& attempt : log_.attempts()) write_attempt(port, attempt);
  machine_.say(Text() << "{\"event\":\"saved\",\"ok\":true,\"attempts\":" << log_.attempts().size()
                      << ",\"full\":" << log_.full()
                      << ",\"clock_error_ns\":" << host_time_.error().ns << "}\n");
}

void Operator::write_attempt(SerialPort& port, const LoggedAttempt& attempt) noexcept {
  const auto error = host_time_.error().ns;
  Text head;
  head << "{\"node\":" << node_.id() << ",\"incarnation\":" << resident_.start().incarnation
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

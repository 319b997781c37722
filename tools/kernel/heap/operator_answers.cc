// What the operator says: one JSON object a line, on the serial port.
#include <plurix/heap/verify.h>

#include <plurix/baremetal/page_tables.h>

#include "heap/measure.h"
#include "heap/operator.h"

namespace plurix::kernel {
namespace {

using baremetal::SerialPort;
using baremetal::Text;

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

// Text of people in a string of JSON.
void put_quoted(Text& text, std::string_view words) noexcept {
  text << "\"";
  for (const char c : words) {
    if (c == '"' || c == '\\') text.put('\\');
    text.put(c >= ' ' ? c : ' ');
  }
  text << "\"";
}

}  // namespace

void Operator::say(const Text& text) noexcept {
  machine_.say(text);
  answer_ = text;
}

void Operator::say_measured(std::string_view) noexcept {
  const auto measured = measure(node_);
  say(Text() << "{\"event\":\"measured\",\"objects\":" << measured.objects << ",\"allocation_ns\":"
             << measured.allocation_ns << ",\"assignment_ns\":" << measured.assignment_ns << "}\n");
}

void Operator::say_lent(std::string_view) noexcept {
  say(Text() << "{\"event\":\"lent\",\"ok\":" << lend_pages(node_) << "}\n");
}

void Operator::say_fetched(std::string_view) noexcept {
  const auto fetched = fetch_lent_pages(node_).value_or(Fetched{});
  say(Text() << "{\"event\":\"fetched\",\"pages\":" << kLentPages
             << ",\"one_by_one_us\":" << fetched.one_by_one.ns / 1'000
             << ",\"together_us\":" << fetched.together.ns / 1'000 << "}\n");
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
  answer_ = *outcome.value;
}

// The rows that are not blank, each as [number, text].
void Operator::say_screen(std::string_view) noexcept {
  machine_.console.write("{\"event\":\"screen\",\"rows\":[");
  bool first = true;
  for (unsigned row = 0; row < SharedScreen::kRows; ++row) {
    const auto outcome = node_.read_only(Freshness::kLatest, [row](Transaction& t) {
      const auto screen = t.find<SharedScreen>(SharedScreen::kName);
      return screen ? screen->rows[row] : SharedScreen::Row{};
    });
    if (!outcome.committed() || workloads::text_of(*outcome.value).empty()) continue;
    Text text;
    text << (first ? "[" : ",[") << row << ",";
    put_quoted(text, workloads::text_of(*outcome.value));
    machine_.say(text << "]");
    first = false;
  }
  machine_.console.write("]}\n");
}

void Operator::say_tasks(std::string_view) noexcept {
  Text text;
  text << "{\"event\":\"ps\",\"tasks\":[";
  bool first = true;
  for (const auto& task : scheduler_.tasks()) {
    text << (first ? "" : ",") << "{\"task\":\"" << task.name << "\",\"asleep\":" << task.asleep
         << ",\"runs\":" << task.runs << ",\"us\":" << task.used.ns / 1'000 << "}";
    first = false;
  }
  say(text << "]}\n");
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
       << ",\"page_fetches\":" << core.counters.fetches
       << ",\"record\":{\"page_tables\":" << baremetal::page_table_root()
       << ",\"address\":" << reinterpret_cast<std::uint64_t>(&log_.logged()) << "}}\n";
  say(text);
}

void Operator::say_status(std::string_view event) noexcept {
  const auto& counts = log_.counts();
  Text text;
  text << "{\"event\":\"" << event << "\",\"node\":" << node_.id()
       << ",\"ns\":" << host_time_.clock().at(node_.now().ns)
       << ",\"committed\":" << counts.committed << ",\"read_only\":" << counts.read_only
       << ",\"aborted\":" << counts.aborted << ",\"cancelled\":" << counts.cancelled
       << ",\"unknown\":" << counts.unknown
       << ",\"page_fetches\":" << node_.protocol().core().counters.fetches
       << ",\"commit_time\":" << node_.commit_time().value
       << ",\"most_restarts\":" << node_.counters().most_restarts
       << ",\"interrupts\":" << node_.counters().interrupts
       << ",\"bodies_cut\":" << node_.counters().bodies_cut
       << ",\"dropped\":" << resident_.card().dropped << "}\n";
  say(text);
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
  say(Text() << "{\"event\":\"verified\",\"ok\":" << ok << ",\"words\":\"" << text.view()
             << "\",\"numbers\":{\"sum\":" << sum.value_or(-1)
             << ",\"expected\":" << workloads::bank::kTotalCents << "}}\n");
  return ok;
}

void Operator::save_history() noexcept {
  SerialPort second(SerialPort::kSecond);
  auto& port = second.start() ? second : machine_.console;
  for (const auto& attempt : log_.attempts()) write_attempt(port, attempt);
  say(Text() << "{\"event\":\"saved\",\"ok\":true,\"attempts\":" << log_.attempts().size()
             << ",\"full\":" << log_.full()
             << ",\"clock_compared\":" << host_time_.clock().is_compared
             << ",\"clock_error_ns\":" << host_time_.clock().error().ns << "}\n");
}

void Operator::write_attempt(SerialPort& port, const LoggedAttempt& attempt) noexcept {
  const auto error = host_time_.clock().error().ns;
  Text head;
  head << "{\"node\":" << node_.id() << ",\"incarnation\":" << resident_.start().incarnation
       << ",\"tx\":" << attempt.tx << ",\"attempt\":" << attempt.number
       << ",\"epoch\":" << attempt.epoch
       << ",\"begin_ns\":" << host_time_.clock().at(attempt.begin_ns) - error
       << ",\"end_ns\":" << host_time_.clock().at(attempt.end_ns) + error << ",\"status\":\""
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

// Reads arbitrary text as a history, a fault schedule, a fault list and a case file. What is
// accepted must survive being printed and read again.
#include <plurix/base/assert.h>
#include <plurix/history/json_lines.h>
#include <plurix/sim/explain.h>

#include <cstdint>
#include <sstream>
#include <string>

using namespace plurix;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::istringstream in(text);
  const auto read = history::read_history(in, "input");
  if (read.ok()) {
    std::string again;
    for (const auto& attempt : read.history.attempts) history::append_line(again, attempt);
    for (const auto& rollback : read.history.rollbacks) history::append_line(again, rollback);
    std::istringstream second(again);
    PLURIX_ASSERT(history::read_history(second, "again").history == read.history);
  }
  (void)sim::FaultMenu::parse(text);
  if (const auto schedule = sim::parse_fault_schedule(text)) {
    PLURIX_ASSERT(sim::parse_fault_schedule(sim::to_string(*schedule)) == schedule);
  }
  if (const auto c = sim::parse_case(text)) {
    PLURIX_ASSERT(sim::parse_case(sim::to_string(*c))->program == c->program);
  }
  return 0;
}

// The kernel around tests: runs all that are linked, tells each by name, and stops the machine with
// the verdict as exit status. "do=panic" and the like end it in other ways, for tests of that.
#include "gtest/gtest.h"
#include "support/test_machine.h"

using plurix::baremetal::Machine;
using plurix::baremetal::Text;

extern "C" const testing::detail::TestEntry* const __start_plurix_tests[];
extern "C" const testing::detail::TestEntry* const __stop_plurix_tests[];

namespace {

constinit Machine* this_machine = nullptr;

struct Progress {
  Text name;
  bool failed = false;
  bool skipped = false;
  unsigned passed = 0;
  unsigned failures = 0;
};
constinit Progress progress;

[[gnu::noinline]] int fill_the_stack(unsigned deeper) {
  volatile int here[512] = {};
  here[0] = static_cast<int>(deeper);
  return deeper == 0 ? 0 : fill_the_stack(deeper - 1) + here[0];
}

/// The entry with the smallest line above `line`; null if there is none.
const testing::detail::TestEntry* next_behind(int line) noexcept {
  const testing::detail::TestEntry* next = nullptr;
  for (const auto* at = __start_plurix_tests; at != __stop_plurix_tests; ++at) {
    if ((*at)->line > line && (next == nullptr || (*at)->line < next->line)) next = *at;
  }
  return next;
}

void end_as_told(std::string_view way) {
  if (way == "panic") PLURIX_ASSERT(!"told to panic");
  if (way == "null") (void)*static_cast<volatile int*>(nullptr);
  if (way == "invalid") asm volatile("ud2");
  if (way == "overflow") (void)fill_the_stack(~0U);
}

}  // namespace

namespace plurix::qemu_test {

Machine& machine() noexcept { return *this_machine; }

}  // namespace plurix::qemu_test

namespace testing::detail {

void begin_test(const char* prefix, const char* name) {
  progress.name.clear();
  progress.name << prefix << name;
  progress.failed = false;
  progress.skipped = false;
}

void end_test() {
  progress.failed ? ++progress.failures : ++progress.passed;
  this_machine->say(Text() << (progress.failed ? "FAILED " : "ok ") << progress.name.view()
                           << "\n");
}

void skip_test() { progress.skipped = true; }
bool is_skipped() { return progress.skipped; }

void fail_test(std::string_view words) {
  progress.failed = true;
  this_machine->say(Text() << "\n" << words);
}

void add_to_words(std::string_view words) { this_machine->say(Text() << words << "\n"); }

}  // namespace testing::detail

// A virtual destructor mentions it; nothing here is ever made by new, unless a suite brings its
// own.
[[gnu::weak]] void operator delete(void*) noexcept { PLURIX_ASSERT(!"operator delete"); }
[[gnu::weak]] void operator delete(void*, std::size_t) noexcept {
  PLURIX_ASSERT(!"operator delete");
}

void plurix_main(Machine& machine) noexcept {
  this_machine = &machine;
  machine.clock.run();
  if (const auto way = machine.boot.option("do")) end_as_told(*way);
  for (const auto* entry = next_behind(0); entry != nullptr; entry = next_behind(entry->line)) {
    entry->run(entry->prefix);
  }
  machine.say(Text() << progress.passed << " passed, " << progress.failures << " failed\n");
  const bool well = progress.failures == 0 && progress.passed > 0;
  plurix::baremetal::stop_machine(well ? plurix::baremetal::kStoppedWell
                                       : plurix::baremetal::kStoppedBadly);
}

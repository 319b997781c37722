#include <plurix/baremetal/page_tables.h>
#include <plurix/baremetal/panic.h>
#include <plurix/baremetal/port_io.h>
#include <plurix/baremetal/text.h>

#include <iterator>

namespace plurix::baremetal {
namespace {

constexpr std::uint16_t kQemuExitPort = 0xf4;

// One machine, one report.
constinit PanicReport report = {};
constinit bool panicking = false;

void write(const Text& text) noexcept {
  if (report.write != nullptr) report.write(report.context, text.view());
}

void begin_panic() noexcept {
  disable_interrupts();
  if (panicking) stop_machine(kStoppedBadly);  // the report itself is broken
  panicking = true;
}

[[noreturn]] void end_panic() noexcept {
  if (report.last_events != nullptr) report.last_events(report.context);
  stop_machine(kStoppedBadly);
}

void hub_panic(const char* what, const char* file, int line) noexcept {
  begin_panic();
  write(Text() << "\nPANIC: " << what << "\n  at " << file << ":" << line << "\n");
  end_panic();
}

const char* name_of(std::uint64_t vector) noexcept {
  static constexpr const char* kNames[] = {"division by zero",
                                           "debug",
                                           "NMI",
                                           "breakpoint",
                                           "overflow",
                                           "bound range",
                                           "invalid instruction",
                                           "no coprocessor",
                                           "double fault (is the stack full?)",
                                           "coprocessor overrun",
                                           "invalid task",
                                           "segment not present",
                                           "stack segment",
                                           "general protection",
                                           "page fault"};
  return vector < std::size(kNames) ? kNames[vector] : "interrupt";
}

}  // namespace

void set_panic_report(const PanicReport& wanted) noexcept {
  report = wanted;
  set_panic_handler(hub_panic);
}

void panic_at(const char* what, const InterruptFrame& frame) noexcept {
  begin_panic();
  write(Text() << "\nPANIC: " << what << ": " << name_of(frame.vector) << " (vector "
               << frame.vector << ")\n");
  write((Text() << "  at rip ").hex(frame.rip) << " error ");
  write(Text().hex(frame.error) << " address ");
  write(Text().hex(faulting_address()) << " rsp ");
  write(Text().hex(frame.rsp) << "\n");
  end_panic();
}

void stop_machine(std::uint8_t code) noexcept {
  disable_interrupts();
  PortIo::out8(kQemuExitPort, code);
  for (;;) asm volatile("cli; hlt");
}

}  // namespace plurix::baremetal

#include <plurix/base/assert.h>

#include <plurix/baremetal/interrupts.h>
#include <plurix/baremetal/panic.h>
#include <plurix/baremetal/port_io.h>

#include <cstddef>

namespace plurix::baremetal {
namespace {

constexpr unsigned kVectors = kFirstLineVector + kLines;
constexpr unsigned kDoubleFaultVector = 8;
constexpr std::uint16_t kCodeSelector = 8;
constexpr std::uint16_t kDataSelector = 16;
constexpr std::uint16_t kTaskSelector = 24;

// Intel SDM volume 3, section 6.14.1.
struct Gate {
  std::uint16_t offset_low, selector;
  std::uint8_t stack, type;
  std::uint16_t offset_middle;
  std::uint32_t offset_high, reserved;
};
static_assert(sizeof(Gate) == 16);

// Intel SDM volume 3, section 7.7. Stack pointers are eight bytes at odd places.
struct [[gnu::packed]] TaskState {
  std::uint32_t reserved0;
  std::uint64_t privilege_stacks[3];
  std::uint64_t reserved1;
  std::uint64_t interrupt_stacks[7];
  std::uint64_t reserved2;
  std::uint16_t reserved3, io_map;
};
static_assert(sizeof(TaskState) == 104);

struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};

constexpr std::uint8_t kInterruptGate = 0x8e;  // present, interrupts off on entry
constexpr std::uint64_t kCodeSegment = 0x00af'9a00'0000'ffff;
constexpr std::uint64_t kDataSegment = 0x00cf'9200'0000'ffff;
constexpr std::uint64_t kTaskSegment = 0x0000'8900'0000'0000;

// One processor, so one of each.
constinit std::uint64_t segments[5] = {0, kCodeSegment, kDataSegment, 0, 0};
constinit TaskState task = {};
constinit Gate gates[kVectors] = {};
constinit InterruptHandler handlers[kVectors] = {};
alignas(16) constinit std::byte double_fault_stack[8192] = {};

template <class T>
TablePointer pointer_to(const T& table) noexcept {
  return {static_cast<std::uint16_t>(sizeof table - 1), reinterpret_cast<std::uint64_t>(&table)};
}

void load_segments() noexcept {
  const auto state = reinterpret_cast<std::uint64_t>(&task);
  task.interrupt_stacks[0] =
      reinterpret_cast<std::uint64_t>(double_fault_stack + sizeof double_fault_stack);
  task.io_map = sizeof task;
  segments[3] =
      kTaskSegment | (sizeof task - 1) | (state & 0xff'ffff) << 16 | (state >> 24 & 0xff) << 56;
  segments[4] = state >> 32;
  const auto pointer = pointer_to(segments);
  asm volatile(
      "lgdt %0\n"
      "mov %1, %%ds\nmov %1, %%es\nmov %1, %%ss\n"
      "pushq %2\nleaq 1f(%%rip), %%rax\npushq %%rax\nlretq\n1:\n"
      "ltr %w3\n"
      :
      : "m"(pointer), "r"(std::uint32_t{kDataSelector}), "i"(kCodeSelector),
        "r"(std::uint32_t{kTaskSelector})
      : "rax", "memory");
}

// ---- the two 8259A

constexpr std::uint16_t kMasterCommand = 0x20;
constexpr std::uint16_t kMasterData = 0x21;
constexpr std::uint16_t kSlaveCommand = 0xa0;
constexpr std::uint16_t kSlaveData = 0xa1;
constexpr std::uint8_t kBeginInitialization = 0x11;  // ICW1: cascade, ICW4 follows
constexpr std::uint8_t k8086Mode = 0x01;             // ICW4
constexpr std::uint8_t kEndOfInterrupt = 0x20;       // OCW2, non-specific
constexpr std::uint8_t kReadInService = 0x0b;        // OCW3
constexpr unsigned kCascadeLine = 2;

// The local APIC hands on what the 8259A reports, if it is told so; not every firmware does.
// Intel SDM volume 3, sections 11.4.7.1 (spurious vector register) and 11.5.1 (LINT0).
constexpr std::uintptr_t kLocalApic = 0xfee0'0000;
constexpr std::uintptr_t kSpuriousVector = 0xf0;
constexpr std::uintptr_t kLint0 = 0x350;
constexpr std::uint32_t kApicEnabled = 1U << 8;
constexpr std::uint32_t kFromExternalController = 7U << 8;

void write_local_apic(std::uintptr_t offset, std::uint32_t value) noexcept {
  *reinterpret_cast<volatile std::uint32_t*>(kLocalApic + offset) = value;
}

void start_local_apic() noexcept {
  write_local_apic(kSpuriousVector, kApicEnabled | vector_of_line(kLines - 1));
  write_local_apic(kLint0, kFromExternalController);
}

// The 8254 as firmware has left it may tick. In mode 0 and without a count it is silent, so that
// the controllers begin with nothing remembered.
constexpr std::uint16_t kTimerControl = 0x43;
constexpr std::uint8_t kTimerSilent = 0x30;

void start_controllers() noexcept {
  PortIo::out8(kTimerControl, kTimerSilent);
  PortIo::out8(kMasterCommand, kBeginInitialization);
  PortIo::out8(kSlaveCommand, kBeginInitialization);
  PortIo::out8(kMasterData, kFirstLineVector);
  PortIo::out8(kSlaveData, kFirstLineVector + 8);
  PortIo::out8(kMasterData, 1U << kCascadeLine);
  PortIo::out8(kSlaveData, kCascadeLine);
  PortIo::out8(kMasterData, k8086Mode);
  PortIo::out8(kSlaveData, k8086Mode);
  PortIo::out8(kMasterData, 0xff & ~(1U << kCascadeLine));
  PortIo::out8(kSlaveData, 0xff);
}

/// False for a line that has gone quiet again before it was asked (7 and 15 stand for that).
bool acknowledge(unsigned line) noexcept {
  const bool slave = line >= 8;
  const auto command = slave ? kSlaveCommand : kMasterCommand;
  bool real = true;
  if (line % 8 == 7) {
    PortIo::out8(command, kReadInService);
    real = (PortIo::in8(command) & 0x80) != 0;
  }
  if (slave && real) PortIo::out8(kSlaveCommand, kEndOfInterrupt);
  if (slave || real) PortIo::out8(kMasterCommand, kEndOfInterrupt);
  return real;
}

void change_mask(unsigned line, bool masked) noexcept {
  PLURIX_ASSERT(line < kLines);
  const auto port = line < 8 ? kMasterData : kSlaveData;
  const auto bit = static_cast<std::uint8_t>(1U << line % 8);
  const auto mask = PortIo::in8(port);
  PortIo::out8(port, static_cast<std::uint8_t>(masked ? mask | bit : mask & ~bit));
}

}  // namespace

extern "C" {

extern const std::uint64_t plurix_interrupt_entries[kVectors];

[[gnu::used]] void plurix_interrupt(InterruptFrame* frame) noexcept {
  const auto vector = static_cast<unsigned>(frame->vector);
  if (vector >= kFirstLineVector && !acknowledge(vector - kFirstLineVector)) return;
  const auto& handler = handlers[vector];
  if (handler.call != nullptr) return handler.call(handler.context, *frame);
  panic_at("an exception that nobody handles", *frame);
}
}

void start_interrupts() noexcept {
  load_segments();
  for (unsigned i = 0; i < kVectors; ++i) {
    const auto entry = plurix_interrupt_entries[i];
    gates[i] = {.offset_low = static_cast<std::uint16_t>(entry),
                .selector = kCodeSelector,
                .stack = static_cast<std::uint8_t>(i == kDoubleFaultVector ? 1 : 0),
                .type = kInterruptGate,
                .offset_middle = static_cast<std::uint16_t>(entry >> 16),
                .offset_high = static_cast<std::uint32_t>(entry >> 32),
                .reserved = 0};
  }
  const auto pointer = pointer_to(gates);
  asm volatile("lidt %0" : : "m"(pointer) : "memory");
  start_controllers();
  start_local_apic();
}

void set_interrupt_handler(unsigned vector, InterruptHandler handler) noexcept {
  PLURIX_ASSERT(vector < kVectors);
  const InterruptsOff off;
  handlers[vector] = handler;
}

void enable_line(unsigned line) noexcept { change_mask(line, false); }
void disable_line(unsigned line) noexcept { change_mask(line, true); }

// Vectors with an error code of the processor's: 8, 10 to 14, 17, 21. The others get a 0, so that
// all frames look alike.
asm(R"(
.text
.altmacro
.macro interrupt_entry number
plurix_interrupt_\number:
  .if (\number != 8) & ((\number < 10) | (\number > 14)) & (\number != 17) & (\number != 21)
  pushq $0
  .endif
  pushq $\number
  jmp plurix_interrupt_common
.endm
.macro interrupt_address number
  .quad plurix_interrupt_\number
.endm
.set number, 0
.rept 48
  interrupt_entry %number
  .set number, number + 1
.endr

plurix_interrupt_common:
  pushq %rax
  pushq %rbx
  pushq %rcx
  pushq %rdx
  pushq %rbp
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  cld
  movq %rsp, %rdi
  call plurix_interrupt
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rbp
  popq %rdx
  popq %rcx
  popq %rbx
  popq %rax
  addq $16, %rsp
  iretq

.section .rodata
.balign 8
.globl plurix_interrupt_entries
plurix_interrupt_entries:
.set number, 0
.rept 48
  interrupt_address %number
  .set number, number + 1
.endr
.text
)");

}  // namespace plurix::baremetal

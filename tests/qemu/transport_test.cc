// The driver on the chip that QEMU emulates, with the Ethernet transport over it, against the suite
// of all transports: four cards of one machine on one segment.
#include <plurix/conformance/transport_suite.h>

#include <plurix/baremetal/node.h>
#include <plurix/baremetal/pci.h>

#include <optional>

#include "resident/composition.h"
#include "support/test_machine.h"

namespace plurix::conformance {
namespace {

using baremetal::InterruptFrame;

constexpr std::size_t kCards = 4;

struct Sleep {
  baremetal::InterruptSleep halt;

  void sleep(Instant until, rtl8139::Condition ready) noexcept { halt.sleep(until, ready); }
};

using Card = rtl8139::Driver<kernel::CardPorts, kernel::CardMemory, Sleep>;
using Net = ethernet::EthernetTransport<Card>;

// What of a card there is only once, whichever world uses it.
struct Slot {
  kernel::CardPorts ports;
  kernel::CardMemory memory;
  unsigned line;
};

struct Place {
  Place(Slot& slot, Sleep& sleep, std::uint32_t session) noexcept
      : card(slot.ports, slot.memory, sleep), started(card.start()), net(card, session) {}

  Card card;
  bool started;
  Net net;
};

constinit std::optional<Place> places[kCards];

// The cards may share a line.
void on_card(void*, InterruptFrame&) noexcept {
  for (auto& place : places) {
    if (place) (void)place->card.acknowledge();
  }
}

Slot make_slot(unsigned number) noexcept {
  auto& machine = qemu_test::machine();
  const auto device = baremetal::find_pci_device(kernel::kRealtek, kernel::kRtl8139, number);
  PLURIX_ASSERT(device);
  const kernel::CardPorts ports{baremetal::enable_port_device(*device)};
  const kernel::CardMemory memory{machine.memory.take(rtl8139::kDmaBytes, kPageSize, "no memory")};
  const auto line = baremetal::interrupt_line_of(*device);
  baremetal::set_interrupt_handler(baremetal::vector_of_line(line), {on_card, nullptr});
  baremetal::enable_line(line);
  return {ports, memory, line};
}

std::span<Slot> slots() noexcept {
  static constinit std::optional<Slot> made[kCards];
  alignas(Slot) static constinit std::byte storage[kCards * sizeof(Slot)] = {};
  auto* const first = reinterpret_cast<Slot*>(storage);
  if (!made[0]) {
    baremetal::set_interrupt_handler(baremetal::vector_of_line(baremetal::kTimerLine),
                                     {[](void*, InterruptFrame&) noexcept {}, nullptr});
    baremetal::enable_line(baremetal::kTimerLine);
    for (unsigned i = 0; i < kCards; ++i) first[i] = *(made[i] = make_slot(i));
  }
  return {first, kCards};
}

// QEMU keeps frames for which the ring has no room, as long as nobody wants to be told that there
// was none: a segment that loses nothing.
void let_frames_wait(kernel::CardPorts ports) noexcept {
  constexpr std::uint16_t kOverflows = 0x0050;  // data sheet, section 6.8: RXOVW, FOVW
  constexpr auto kMaskAt = rtl8139::InterruptMask::kOffset;
  ports.write<std::uint16_t>(kMaskAt, ports.read<std::uint16_t>(kMaskAt) & ~kOverflows);
}

class QemuCards {
 public:
  QemuCards() noexcept : sleep_{{qemu_test::machine().clock, qemu_test::machine().alarm}} {
    static constinit std::uint32_t session = 0;
    const auto all = slots();
    for (std::size_t i = 0; i < kCards; ++i) {
      EXPECT_TRUE(places[i].emplace(all[i], sleep_, ++session).started);
      let_frames_wait(all[i].ports);
    }
  }
  ~QemuCards() {
    for (auto& place : places) place.reset();
  }

  Net& node(std::size_t i) noexcept { return places[i]->net; }
  Instant now() noexcept { return qemu_test::machine().clock.now(); }

 private:
  Sleep sleep_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Rtl8139, TransportSuite, QemuCards);

}  // namespace
}  // namespace plurix::conformance

// The suite is written with containers; what they take is never given back.
void* operator new(std::size_t bytes) {
  return plurix::qemu_test::machine().memory.take(bytes, 16, "no memory for a test").data();
}
void operator delete(void*) noexcept {}
void operator delete(void*, std::size_t) noexcept {}

namespace std {
void __throw_length_error(const char* what) { plurix::panic(what, __FILE__, __LINE__); }
void __throw_bad_alloc() { plurix::panic("no memory", __FILE__, __LINE__); }
void __throw_bad_array_new_length() { plurix::panic("no memory", __FILE__, __LINE__); }
void __throw_out_of_range_fmt(const char* what, ...) { plurix::panic(what, __FILE__, __LINE__); }
}  // namespace std

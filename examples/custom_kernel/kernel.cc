// A second kernel, as small as can be, with other habits than plurix-kernel: it polls and never
// enables an interrupt, checks each access in software instead of by page tables, and lays its
// memory out by hand. docs/porting.md walks through it.
#include <plurix/base/cluster_name.h>
#include <plurix/commit/first_wins.h>
#include <plurix/ethernet/transport.h>
#include <plurix/node.h>
#include <plurix/rtl8139/driver.h>

#include <plurix/baremetal/panic.h>
#include <plurix/baremetal/pci.h>
#include <plurix/baremetal/port_io.h>
#include <plurix/baremetal/serial_port.h>
#include <plurix/baremetal/text.h>

#include <cstring>

namespace {

using namespace plurix;
using baremetal::PortIo;
using baremetal::Text;

// Memory by hand: the boot code maps 4 GiB to itself, the kernel ends below 16 MiB.
constexpr std::uintptr_t kHeapAt = 16 << 20;
constexpr std::uint32_t kHeapPages = 2048;
constexpr std::uintptr_t kCardAt = 32 << 20;
constexpr std::uintptr_t kStorageAt = 33 << 20;

struct PlainMemory {
  std::byte* view() const noexcept { return reinterpret_cast<std::byte*>(kHeapAt); }
  std::byte* frames() const noexcept { return view(); }       // no second mapping
  void protect(PageIndex, std::uint32_t, Rights) noexcept {}  // nothing to set
  bool traps() const noexcept { return false; }               // so Ref checks each access
  void on_fault(FaultHandler) noexcept {}                     // and none is reported
};
static_assert(FaultSource<PlainMemory>);

// Ticks of a processor of about 1 GHz will do as nanoseconds: only patience depends on them.
struct Ticks {
  Instant now() const noexcept {
    return {static_cast<std::int64_t>(baremetal::time_stamp_counter())};
  }
};
static_assert(Clock<Ticks>);

struct Ports {
  std::uint16_t base;

  template <class Word>
  Word read(std::uint16_t offset) noexcept {
    const auto port = static_cast<std::uint16_t>(base + offset);
    if constexpr (sizeof(Word) == 1) return PortIo::in8(port);
    if constexpr (sizeof(Word) == 2) return PortIo::in16(port);
    if constexpr (sizeof(Word) == 4) return PortIo::in32(port);
  }
  template <class Word>
  void write(std::uint16_t offset, Word word) noexcept {
    const auto port = static_cast<std::uint16_t>(base + offset);
    if constexpr (sizeof(Word) == 1) PortIo::out8(port, word);
    if constexpr (sizeof(Word) == 2) PortIo::out16(port, word);
    if constexpr (sizeof(Word) == 4) PortIo::out32(port, word);
  }
};

struct CardMemory {
  std::span<std::byte> bytes() noexcept {
    return {reinterpret_cast<std::byte*>(kCardAt), rtl8139::kDmaBytes};
  }
  std::uint32_t bus_address() noexcept { return kCardAt; }
};

// Waiting is looking again and again.
struct Poll {
  void sleep(Instant until, rtl8139::Condition ready) noexcept {
    while (!ready() && Ticks().now() < until) asm volatile("pause");
  }
};

using Card = rtl8139::Driver<Ports, CardMemory, Poll>;
using Net = ethernet::EthernetTransport<Card>;
using MyNode = Node<PlainMemory, Net, FirstWins, Ticks>;

// A kernel has no constructors that run before it, and its stack is small.
template <class T, class... Arguments>
T& make_once(Arguments&&... arguments) noexcept {
  alignas(T) static constinit std::byte storage[sizeof(T)] = {};
  return *std::construct_at(reinterpret_cast<T*>(storage), std::forward<Arguments>(arguments)...);
}

void say(const Text& text) noexcept {
  baremetal::SerialPort console(baremetal::SerialPort::kFirst);
  console.start();
  console.write(text.view());
}

long count_to_a_hundred(MyNode& node) noexcept {
  for (int i = 0; i < 100; ++i) {
    node.run([](Transaction& t) { ++*t.root<long>("counter").mut(); });
  }
  return node.run([](Transaction& t) { return *t.root<long>("counter"); });
}

}  // namespace

// Called by the boot code with a stack, 4 GiB of memory mapped to itself, and interrupts off.
extern "C" [[noreturn]] void plurix_boot_entry(std::uint32_t, std::uint32_t) noexcept {
  set_panic_handler([](const char* what, const char* file, int line) noexcept {
    say(Text() << "PANIC: " << what << " at " << file << ":" << line << "\n");
    baremetal::stop_machine(baremetal::kStoppedBadly);
  });
  const auto device = baremetal::find_pci_device(0x10ec, 0x8139);
  if (!device) panic("no RTL8139", __FILE__, __LINE__);

  NodeConfig config;
  config.core.geometry.pages = kHeapPages;
  config.core.cluster_name_hash = hash_cluster_name("custom");
  const auto bytes = ProtocolCore::storage_needed(config.core);
  auto* storage = reinterpret_cast<std::byte*>(kStorageAt);
  std::memset(storage, 0, bytes);
  std::memset(PlainMemory().frames(), 0, config.core.geometry.bytes());

  auto& ports = make_once<Ports>(baremetal::enable_port_device(*device));
  auto& card_memory = make_once<CardMemory>();
  auto& poll = make_once<Poll>();
  auto& card = make_once<Card>(ports, card_memory, poll);
  if (!card.start()) panic("the RTL8139 does not answer", __FILE__, __LINE__);
  auto& net = make_once<Net>(card, static_cast<std::uint32_t>(Ticks().now().ns));
  auto& memory = make_once<PlainMemory>();
  auto& clock = make_once<Ticks>();
  auto& trace = make_once<NullTraceSink>();
  auto& node =
      make_once<MyNode>(config, memory, net, clock, trace, std::span<std::byte>(storage, bytes));

  const Endpoint everybody = ethernet::make_endpoint(ethernet::kBroadcast);
  if (!node.join({&everybody, 1}, true, node.now() + milliseconds(5'000))) {
    panic("no cluster", __FILE__, __LINE__);
  }
  say(Text() << "node " << node.id() << ", counter " << count_to_a_hundred(node) << "\n");
  baremetal::stop_machine(baremetal::kStoppedWell);
}

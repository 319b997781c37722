// Which policies this kernel is made of, and the parts they run on.
#pragma once

#include <plurix/base/cluster_name.h>
#include <plurix/ethernet/transport.h>
#include <plurix/rtl8139/driver.h>

#include <plurix/baremetal/event_ring.h>
#include <plurix/baremetal/node.h>
#include <plurix/baremetal/pci.h>

#include <optional>

namespace plurix::kernel {

/// The card's registers, by port instructions.
struct CardPorts {
  std::uint16_t base;

  template <class Word>
  Word read(std::uint16_t offset) noexcept {
    using baremetal::PortIo;
    const auto port = static_cast<std::uint16_t>(base + offset);
    if constexpr (sizeof(Word) == 1) return PortIo::in8(port);
    if constexpr (sizeof(Word) == 2) return PortIo::in16(port);
    if constexpr (sizeof(Word) == 4) return PortIo::in32(port);
  }
  template <class Word>
  void write(std::uint16_t offset, Word word) noexcept {
    using baremetal::PortIo;
    const auto port = static_cast<std::uint16_t>(base + offset);
    if constexpr (sizeof(Word) == 1) PortIo::out8(port, word);
    if constexpr (sizeof(Word) == 2) PortIo::out16(port, word);
    if constexpr (sizeof(Word) == 4) PortIo::out32(port, word);
  }
};

/// Memory that the card reaches at the address at which we do.
struct CardMemory {
  std::span<std::byte> block;

  std::span<std::byte> bytes() noexcept { return block; }
  std::uint32_t bus_address() noexcept {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(block.data()));
  }
};

/// Sleeps until the card interrupts.
struct CardSleep {
  baremetal::InterruptSleep halt;
  void (*hear_card)(void* node) noexcept = nullptr;
  void* node = nullptr;

  void sleep(Instant until, rtl8139::Condition ready) noexcept {
    if (hear_card != nullptr) hear_card(node);
    halt.sleep(until, ready);
  }
};

using Card = rtl8139::Driver<CardPorts, CardMemory, CardSleep>;
using Net = ethernet::EthernetTransport<Card>;
using BareNode = baremetal::BasicNode<Net, Fair, baremetal::EventRing>;
using CoreNode = BareNode::Core;

inline constexpr std::uint16_t kRealtek = 0x10ec;
inline constexpr std::uint16_t kRtl8139 = 0x8139;

/// A number that an earlier start of this machine has not had: what the command line says, or what
/// the counter and the card's address give.
std::uint32_t draw_incarnation(const baremetal::BootInfo& boot,
                               const ethernet::MacAddress& address) noexcept;

NodeConfig config_for(const baremetal::BootInfo& boot, std::uint32_t incarnation) noexcept;

/// Everything the kernel consists of, in the order in which it comes to be. One a program.
class Parts {
 public:
  /// Panics with words when there is no card.
  explicit Parts(baremetal::Machine& machine) noexcept;

  /// Founds or joins a cluster, as the command line says. False if none was found in time.
  [[nodiscard]] bool enter() noexcept;

  /// How long to look for a cluster, and for a kernel in it.
  Duration patience() const noexcept;

  baremetal::Machine& machine;
  CardSleep sleep;
  baremetal::PciDevice device;
  CardPorts ports;
  CardMemory card_memory;
  Card card;
  const bool card_answers;
  const std::uint32_t incarnation;
  Net net;
  baremetal::EventRing events;
  const NodeConfig config;
  baremetal::PageTableFaultSource faults;
  BareNode bare;

  CoreNode& node() noexcept { return bare.core(); }
};

}  // namespace plurix::kernel

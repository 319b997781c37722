// What a kernel makes of the network card: the driver on ports, the transport over it.
#include <plurix/ethernet/transport.h>
#include <plurix/rtl8139/driver.h>

namespace plurix::testing {

struct Ports {
  std::uint16_t base;

  template <class Word>
  Word read(std::uint16_t offset) noexcept {
    Word word;
    asm volatile("in %1, %0"
                 : "=a"(word)
                 : "Nd"(static_cast<std::uint16_t>(base + offset))
                 : "memory");
    return word;
  }
  template <class Word>
  void write(std::uint16_t offset, Word word) noexcept {
    asm volatile("out %0, %1"
                 :
                 : "a"(word), "Nd"(static_cast<std::uint16_t>(base + offset))
                 : "memory");
  }
};

struct Memory {
  std::span<std::byte> block;
  std::uint32_t address;

  std::span<std::byte> bytes() noexcept { return block; }
  std::uint32_t bus_address() noexcept { return address; }
};

struct Halt {
  void sleep(Instant, rtl8139::Condition ready) noexcept {
    if (!ready()) asm volatile("sti; hlt");
  }
};

using Card = rtl8139::Driver<Ports, Memory, Halt>;
static_assert(ethernet::FrameDevice<Card>);
static_assert(Transport<ethernet::EthernetTransport<Card>>);

}  // namespace plurix::testing

template class plurix::rtl8139::Driver<plurix::testing::Ports, plurix::testing::Memory,
                                       plurix::testing::Halt>;
template class plurix::ethernet::EthernetTransport<plurix::testing::Card>;

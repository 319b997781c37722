#include <plurix/baremetal/pci.h>
#include <plurix/baremetal/port_io.h>

namespace plurix::baremetal {
namespace {

constexpr std::uint16_t kAddressPort = 0xcf8;
constexpr std::uint16_t kDataPort = 0xcfc;
constexpr std::uint32_t kEnable = 0x8000'0000;

// Offsets in a device's configuration space.
constexpr std::uint8_t kIdentity = 0x00;
constexpr std::uint8_t kCommand = 0x04;
constexpr std::uint8_t kFirstRange = 0x10;
constexpr std::uint8_t kInterruptPin = 0x3c;  // second byte

constexpr std::uint32_t kIoSpace = 1U << 0;
constexpr std::uint32_t kBusMaster = 1U << 2;
constexpr std::uint32_t kIoAddress = 0xfffc;

constexpr std::uint16_t kOurFirstPort = 0xc000;
constexpr unsigned kPortsADevice = 0x100;

// The chip set that routes the four interrupt pins of the bus.
constexpr PciDevice kChipSet{0, 1, 0};
constexpr std::uint8_t kPirqRoutes = 0x60;
constexpr std::uint32_t kNotRouted = 0x80;
constexpr unsigned kOurLine = 11;
constexpr std::uint16_t kLevelTriggeredLow = 0x4d0;
constexpr std::uint16_t kLevelTriggeredHigh = 0x4d1;

std::uint32_t address_of(const PciDevice& device, std::uint8_t offset) noexcept {
  return kEnable | std::uint32_t{device.bus} << 16 | std::uint32_t{device.slot} << 11 |
         std::uint32_t{device.function} << 8 | (offset & 0xfcU);
}

void trigger_by_level(unsigned line) noexcept {
  const auto port = line < 8 ? kLevelTriggeredLow : kLevelTriggeredHigh;
  const auto bits = PortIo::in8(port);
  PortIo::out8(port, static_cast<std::uint8_t>(bits | 1U << line % 8));
}

}  // namespace

std::uint32_t PciDevice::read(std::uint8_t offset) const noexcept {
  PortIo::out32(kAddressPort, address_of(*this, offset));
  return PortIo::in32(kDataPort);
}

void PciDevice::write(std::uint8_t offset, std::uint32_t value) const noexcept {
  PortIo::out32(kAddressPort, address_of(*this, offset));
  PortIo::out32(kDataPort, value);
}

std::optional<PciDevice> find_pci_device(std::uint16_t vendor, std::uint16_t device,
                                         unsigned skipped) noexcept {
  const auto wanted = std::uint32_t{device} << 16 | vendor;
  for (std::uint8_t slot = 0; slot < 32; ++slot) {
    const PciDevice candidate{0, slot, 0};
    if (candidate.read(kIdentity) == wanted && skipped-- == 0) return candidate;
  }
  return {};
}

std::uint16_t enable_port_device(const PciDevice& device) noexcept {
  if ((device.read(kFirstRange) & kIoAddress) == 0) {
    device.write(kFirstRange, kOurFirstPort + device.slot * kPortsADevice);
  }
  device.write(kCommand, (device.read(kCommand) & 0xffff) | kIoSpace | kBusMaster);
  return static_cast<std::uint16_t>(device.read(kFirstRange) & kIoAddress);
}

unsigned interrupt_line_of(const PciDevice& device) noexcept {
  const auto pin = (device.read(kInterruptPin) >> 8 & 0xff) - 1;
  const auto shift = 8 * ((pin + device.slot - 1) % 4);
  auto routes = kChipSet.read(kPirqRoutes);
  auto line = routes >> shift & 0xff;
  if ((line & kNotRouted) != 0 || line == 0) {
    line = kOurLine;
    routes = (routes & ~(0xffU << shift)) | line << shift;
    kChipSet.write(kPirqRoutes, routes);
  }
  trigger_by_level(line);
  return line;
}

}  // namespace plurix::baremetal

// The PCI bus of a PC: finding a device and making it work, also where the firmware has not.
// Sources: PCI Local Bus Specification 2.3, sections 3.2.2.3.2 and 6.1; Intel 82371SB (PIIX3) data
// sheet (290550-002), "PIRQx route control registers" and "ELCR".
#pragma once

#include <cstdint>
#include <optional>

namespace plurix::baremetal {

struct PciDevice {
  std::uint8_t bus = 0;
  std::uint8_t slot = 0;
  std::uint8_t function = 0;

  std::uint32_t read(std::uint8_t offset) const noexcept;
  void write(std::uint8_t offset, std::uint32_t value) const noexcept;
};

/// The first device of that kind behind the `skipped` first ones.
std::optional<PciDevice> find_pci_device(std::uint16_t vendor, std::uint16_t device,
                                         unsigned skipped = 0) noexcept;

/// Lets the device answer at its first I/O range and be a bus master; returns where the range
/// begins. Firmware that has given it none is made up for.
std::uint16_t enable_port_device(const PciDevice& device) noexcept;

/// The line on which the device interrupts, level-triggered from here on; a chip set that has not
/// been told one is.
unsigned interrupt_line_of(const PciDevice& device) noexcept;

}  // namespace plurix::baremetal

// CRC32C (Castagnoli, RFC 3720 appendix B.4): guards every frame on the wire and every segment on
// disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace plurix {

/// Continues checksum `crc` (0 to start) over `bytes`. Uses the crc32 instruction where the
/// processor has it, a table elsewhere; the value is the same. Any context, no state.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

/// The table-driven form, always available: what the other one is tested against.
std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

}  // namespace plurix

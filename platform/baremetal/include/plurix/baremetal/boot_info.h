// BootInfo: what the boot loader tells: which memory there is, the command line, and files it has
// loaded. Copied out of the loader's own memory, which is used for other things later.
#pragma once

#include <plurix/base/bounded_vector.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace plurix::baremetal {

/// Physical addresses, in bytes.
struct MemoryRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  constexpr std::uint64_t bytes() const noexcept { return end - begin; }
};

struct BootInfo {
  BoundedVector<MemoryRange, 16> usable;  ///< RAM, as the loader lists it
  BoundedVector<MemoryRange, 4> modules;  ///< files loaded with the kernel
  char command_line_text[512] = "";
  bool by_pvh = false;  ///< or by multiboot

  std::string_view command_line() const noexcept { return command_line_text; }

  /// The value of `key` in "... key=value ..."; none if the key is not there.
  std::optional<std::string_view> option(std::string_view key) const noexcept;

  /// The same as a decimal number; `otherwise` if it is not there or is none.
  std::uint64_t number(std::string_view key, std::uint64_t otherwise) const noexcept;
};

/// What the registers held at entry: a magic number that says who loaded us, and where its
/// information is.
std::optional<BootInfo> read_boot_info(std::uint32_t magic, std::uint32_t info) noexcept;

}  // namespace plurix::baremetal

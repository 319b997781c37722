// Compression: how a store makes its segments smaller. The store is given it and knows no library;
// zstd is one, where the project was built with it.
#pragma once

#include <plurix/concepts/transport.h>

#include <cstddef>
#include <span>

namespace plurix::checkpoint {

struct Compression {
  /// Puts `in` into `out` and returns how many bytes that took; 0 if they do not suffice.
  std::size_t (*pack)(Bytes in, std::span<std::byte> out, int level) noexcept = nullptr;

  /// The reverse. `in` may be anything; false unless it is what makes exactly `out.size()` bytes.
  bool (*unpack)(Bytes in, std::span<std::byte> out) noexcept = nullptr;

  int level = 0;  ///< 0: what is written stays as it is

  bool packs() const noexcept { return level > 0 && pack != nullptr; }
};

/// A segment of 1 MB takes about 10 ms at level 3 and 60 ms at level 9 on a busy 2 GHz core, and
/// who compresses hears nobody meanwhile: more than that would outlast the leases that he gives.
inline constexpr int kHighestLevel = 3;

/// Without the library neither packs nor unpacks.
Compression zstd(int level = 0) noexcept;

}  // namespace plurix::checkpoint

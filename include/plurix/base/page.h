// Pages and the geometry of the heap. A page is the unit of ownership, transfer and collision
// (paper section 2.2); the geometry is agreed at join and is the same on every node.
#pragma once

#include <plurix/base/types.h>

#include <cstdint>

namespace plurix {

inline constexpr std::size_t kPageSize = 4096;
inline constexpr unsigned kPageShift = 12;
static_assert(std::size_t{1} << kPageShift == kPageSize);

/// Where the heap stands in every world that has an MMU: start of PML4 slot 170, free under every
/// sanitizer and in the kernel.
inline constexpr std::uintptr_t kDefaultHeapBase = 0x5500'0000'0000;

/// Base address, size and format of one heap. Two nodes whose geometries differ cannot share it.
struct HeapGeometry {
  std::uint64_t base = kDefaultHeapBase;  ///< virtual address of page 0
  std::uint32_t pages = 16384;            ///< size in pages
  std::uint32_t format = 3;               ///< version of the heap's layout (docs/heap.md)

  friend constexpr bool operator==(const HeapGeometry&, const HeapGeometry&) noexcept = default;
  constexpr std::uint64_t bytes() const noexcept { return std::uint64_t{pages} * kPageSize; }
};

/// Page that holds byte `offset` of the heap.
constexpr PageIndex page_of(std::uint64_t offset) noexcept {
  return static_cast<PageIndex>(offset >> kPageShift);
}

/// Number of pages the range [offset, offset + size) touches; 1 for an empty range.
constexpr std::uint32_t pages_spanned(std::uint64_t offset, std::uint64_t size) noexcept {
  const auto last = size == 0 ? offset : offset + size - 1;
  return page_of(last) - page_of(offset) + 1;
}

}  // namespace plurix

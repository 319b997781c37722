// The first pages of the heap: a block that says what this heap is, and a flat table of named roots
// behind it. Formatted by the founder before the first commit; changed by ordinary transactions.
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/base/page.h>

#include <cstring>
#include <string_view>
#include <type_traits>

namespace plurix {

inline constexpr std::uint64_t kHeapMagic = 0x3150414548585250;  // "PRXHEAP1"
inline constexpr PageIndex kNamePages = 4;
inline constexpr PageIndex kFormattedPages = 1 + kNamePages;

/// Page 0. `next_free` is the offset of the first byte never given to an object.
struct RootBlock {
  std::uint64_t magic = kHeapMagic;
  std::uint64_t base = 0;
  std::uint32_t pages = 0;
  std::uint32_t format = 0;
  std::uint32_t page_size = kPageSize;
  std::uint32_t names = 0;  ///< roots in the table
  std::uint64_t next_free = std::uint64_t{kFormattedPages} * kPageSize;
};
static_assert(std::is_trivially_copyable_v<RootBlock>);

/// One named root. An empty name ends the table.
struct NameEntry {
  static constexpr std::size_t kMaxName = 39;

  char name[kMaxName + 1] = {};
  std::uint64_t type = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  /// Compares by hand: a kernel has no string functions.
  bool is(std::string_view other) const noexcept {
    if (other.size() > kMaxName) return false;
    for (std::size_t i = 0; i < other.size(); ++i) {
      if (name[i] != other[i]) return false;
    }
    return name[other.size()] == '\0';
  }
};
static_assert(sizeof(NameEntry) == 64);

struct NamePage {
  NameEntry entries[kPageSize / sizeof(NameEntry)];
};
static_assert(sizeof(NamePage) == kPageSize);
inline constexpr std::uint32_t kMaxNames = kNamePages * (kPageSize / sizeof(NameEntry));

/// Writes the first pages of a fresh, zeroed heap.
inline void format_heap(std::byte* frames, const HeapGeometry& geometry) noexcept {
  RootBlock block;
  block.base = geometry.base;
  block.pages = geometry.pages;
  block.format = geometry.format;
  std::memcpy(frames, &block, sizeof block);
}

/// Where an object of this size and alignment goes when `next_free` bytes are taken: an object of
/// at most a page never straddles one, a larger one starts on a page.
constexpr std::uint64_t place_object(std::uint64_t next_free, std::uint64_t size,
                                     std::uint64_t alignment) noexcept {
  auto offset = (next_free + alignment - 1) & ~(alignment - 1);
  if (size > 0 && pages_spanned(offset, size) > 1 && !mutated("object_straddles_pages")) {
    offset = (offset + kPageSize - 1) & ~std::uint64_t{kPageSize - 1};
  }
  return offset;
}

}  // namespace plurix

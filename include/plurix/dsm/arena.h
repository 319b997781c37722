// Hands out the arrays of one node's tables from a block of memory the world provides once, zeroed.
// With no block it only counts, so that the same constructor code tells how much is needed.
//
// What begins as zeros is not touched here: of megabytes of shadow images and kept pages a node
// takes from its machine what it uses.
#pragma once

#include <plurix/base/assert.h>

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace plurix {

class Arena {
 public:
  explicit Arena(std::span<std::byte> block) noexcept : block_(block) {}

  /// An array of `count` value-initialised T, or an empty span while counting.
  template <class T>
  std::span<T> take(std::size_t count) noexcept {
    const auto start = (used_ + kAlign - 1) & ~(kAlign - 1);
    used_ = start + count * sizeof(T);
    if (block_.empty()) return {};
    PLURIX_ASSERT(used_ <= block_.size());
    auto* first = reinterpret_cast<T*>(block_.data() + start);
    if constexpr (!std::is_trivially_default_constructible_v<T>) {
      for (std::size_t i = 0; i < count; ++i) std::construct_at(first + i);
    }
    return {first, count};
  }

  std::size_t used() const noexcept { return used_; }

 private:
  static constexpr std::size_t kAlign = 64;
  std::span<std::byte> block_;
  std::size_t used_ = 0;
};

}  // namespace plurix

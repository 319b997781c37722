// A vector with a fixed limit and no heap: the only growable container of the core. What happens at
// the limit is the caller's explicit decision (`push` says whether there was room).
#pragma once

#include <plurix/base/assert.h>

#include <cstddef>
#include <span>
#include <type_traits>

namespace plurix {

template <class T, std::size_t kLimit>
class BoundedVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// Appends and returns true, or changes nothing and returns false when full.
  [[nodiscard]] constexpr bool push(const T& value) noexcept {
    if (size_ == kLimit) return false;
    items_[size_++] = value;
    return true;
  }

  constexpr void clear() noexcept { size_ = 0; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr bool full() const noexcept { return size_ == kLimit; }
  static constexpr std::size_t limit() noexcept { return kLimit; }

  constexpr T& operator[](std::size_t i) noexcept {
    PLURIX_ASSERT(i < size_);
    return items_[i];
  }
  constexpr const T& operator[](std::size_t i) const noexcept {
    PLURIX_ASSERT(i < size_);
    return items_[i];
  }

  /// Removes element `i`; the order of the others stays.
  constexpr void erase(std::size_t i) noexcept {
    PLURIX_ASSERT(i < size_);
    for (; i + 1 < size_; ++i) items_[i] = items_[i + 1];
    --size_;
  }

  constexpr T* begin() noexcept { return items_; }
  constexpr T* end() noexcept { return items_ + size_; }
  constexpr const T* begin() const noexcept { return items_; }
  constexpr const T* end() const noexcept { return items_ + size_; }
  constexpr std::span<const T> view() const noexcept { return {items_, size_}; }

 private:
  T items_[kLimit] = {};
  std::size_t size_ = 0;
};

}  // namespace plurix

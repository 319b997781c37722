// StructArea (paper section 4.4, "structs"): memory of one node outside the heap, for the state of
// drivers and protocols. An abort does not touch it, and nothing in it points anywhere: neither
// into the heap, where objects move, nor into a program, which may be gone when the state is read
// again.
//
//   StructArea area(memory);
//   auto& state = area.make<DriverState>();
//   auto records = area.make_array<Record>(1'000);
#pragma once

#include <plurix/base/assert.h>
#include <plurix/heap/fields.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

namespace plurix {

namespace detail {

// Fields of an object that exists nowhere are only named, as in fields.h.
#pragma GCC diagnostic push
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Wundefined-var-template"
#pragma GCC diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
consteval bool is_pointer_free() noexcept;

template <class T>
consteval bool are_fields_pointer_free() noexcept {
  return with_fields<count_fields<T>()>(kNowhere<T>.value, [](auto&... field) {
    return (is_pointer_free<std::remove_cvref_t<decltype(field)>>() && ...);
  });
}

// What cannot be looked into is taken for one.
template <class T>
consteval bool is_pointer_free() noexcept {
  constexpr auto kShape = shape_of<T>();
  if constexpr (kShape == Shape::kArray) {
    return is_pointer_free<std::remove_all_extents_t<T>>();
  } else if constexpr (kShape == Shape::kStdArray) {
    return is_pointer_free<typename T::value_type>();
  } else if constexpr (kShape == Shape::kAggregate) {
    if constexpr (count_fields<T>() == 0) return true;
    return are_fields_pointer_free<T>();
  } else {
    return std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::byte>;
  }
}
#pragma GCC diagnostic pop

}  // namespace detail

template <class T>
concept PointerFree = detail::is_pointer_free<T>();

/// What a StructArea holds: plain data that means the same after an abort, and after a restart.
template <class T>
concept LocalStruct =
    std::is_trivially_copyable_v<T> && std::default_initializable<T> && PointerFree<T>;

class StructArea {
 public:
  /// The memory is zeroed and outlives the area.
  explicit StructArea(std::span<std::byte> memory) noexcept : memory_(memory) {}

  /// A new struct, for good; there is no way to give it back. Panics when there is no room.
  template <LocalStruct T>
  T& make() noexcept {
    return *std::construct_at(reinterpret_cast<T*>(take(sizeof(T), alignof(T))));
  }

  /// `count` of them. Not constructed one by one: where it is taken on touch, the memory stays
  /// untouched. So zeros must be what their members begin with.
  template <LocalStruct T>
  std::span<T> make_array(std::size_t count) noexcept {
    return {reinterpret_cast<T*>(take(count * sizeof(T), alignof(T))), count};
  }

  std::size_t bytes_left() const noexcept { return memory_.size(); }

 private:
  std::byte* take(std::size_t bytes, std::size_t alignment) noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(memory_.data());
    const auto gap = (alignment - at % alignment) % alignment;
    PLURIX_ASSERT(gap <= memory_.size() && bytes <= memory_.size() - gap);
    auto* const place = memory_.data() + gap;
    memory_ = memory_.subspan(gap + bytes);
    return place;
  }

  std::span<std::byte> memory_;
};

}  // namespace plurix

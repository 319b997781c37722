// What may live in the heap, and how a type is recognized on every node: by its name, size and
// alignment, whichever compiler built the node.
#pragma once

#include <plurix/base/page.h>
#include <plurix/base/prng.h>

#include <string_view>
#include <type_traits>

namespace plurix {

/// Stops the compilation with a sentence for whatever a heap object must not be. Heap objects are
/// shared by address between programs, so nothing in them may point into one program or need code
/// to run when an attempt is rolled back.
template <class T>
constexpr bool check_heap_object() noexcept {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "a heap object is a plain, non-const object type");
  static_assert(!std::is_pointer_v<T>,
                "a heap object must not be a plain pointer: its target may move; store a Link");
  static_assert(!std::is_polymorphic_v<T>,
                "a heap object must not have virtual functions: its vtable is this program's own");
  static_assert(std::is_trivially_destructible_v<T>,
                "a heap object must be trivially destructible: no std::string or container in it, "
                "and no Ref, which is valid inside one transaction only");
  static_assert(std::is_default_constructible_v<T>,
                "a heap object must be default-constructible: it is created on first use");
  static_assert(alignof(T) <= kPageSize, "a heap object is aligned to a page at most");
  return true;
}

namespace detail {

/// The name of T as the compiler spells it, without the text around it.
template <class T>
constexpr std::string_view spelled_name() noexcept {
  std::string_view text = __PRETTY_FUNCTION__;
  const auto start = text.find("T = ") + 4;
  const auto end = text.find_first_of(";]", start);
  return text.substr(start, end - start);
}

constexpr std::uint64_t hash_text(std::string_view text, std::uint64_t seed) noexcept {
  for (const char c : text) {
    if (c != ' ') seed = mix(seed, static_cast<unsigned char>(c));
  }
  return seed;
}

}  // namespace detail

/// The type's name, for messages.
template <class T>
constexpr std::string_view type_name() noexcept {
  return detail::spelled_name<T>();
}

/// Equal on two nodes if and only if (up to hash collisions) name, size and alignment are equal.
template <class T>
consteval std::uint64_t type_hash() noexcept {
  return detail::hash_text(type_name<T>(), mix(sizeof(T), alignof(T)));
}

}  // namespace plurix

// What may live in the heap, and how a type is recognized on every node: by its name, size and
// alignment, whichever compiler built the node.
#pragma once

#include <plurix/base/page.h>
#include <plurix/base/prng.h>

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>

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
  const auto end = std::min(text.find(';', start), text.rfind(']'));
  return text.substr(start, end - start);
}

/// The words a fundamental integer's name is made of, as a number whose order of addition does not
/// matter: g++ says "long unsigned int" where clang says "unsigned long". 0 for any other word.
constexpr unsigned integer_word(std::string_view word) noexcept {
  if (word == "int") return 1;
  if (word == "unsigned") return 2;
  if (word == "signed") return 4;
  if (word == "char") return 8;
  if (word == "short") return 16;
  return word == "long" ? 32 : 0;
}

constexpr bool is_word_character(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Takes the next word (of letters, digits and underscores) or single character from the front.
constexpr std::string_view take_token(std::string_view& text) noexcept {
  std::size_t length = 0;
  while (length < text.size() && is_word_character(text[length])) ++length;
  const auto token = text.substr(0, length == 0 ? 1 : length);
  text.remove_prefix(token.size());
  return token;
}

/// A number without its suffix (g++ says 5, clang 5UL); an unnamed namespace by one name.
constexpr std::string_view plain_token(std::string_view token) noexcept {
  if (token[0] >= '0' && token[0] <= '9') {
    while (token.back() == 'U' || token.back() == 'L' || token.back() == 'u' ||
           token.back() == 'l') {
      token.remove_suffix(1);
    }
  }
  if (token == "{" || token == "(") return "<";
  if (token == "}" || token == ")") return ">";
  return token == " " || token == "namespace" ? std::string_view{} : token;
}

/// Equal for the same type whichever compiler spelled its name.
constexpr std::uint64_t hash_name(std::string_view text, std::uint64_t seed) noexcept {
  unsigned integer = 0;
  while (!text.empty()) {
    const auto token = take_token(text);
    if (const auto word = integer_word(token); word != 0) {
      integer += word;
      continue;
    }
    const auto plain = plain_token(token);
    if (!plain.empty() && integer != 0) seed = mix(seed, std::exchange(integer, 0u) | 0x101u);
    for (const char c : plain) seed = mix(seed, static_cast<unsigned char>(c));
  }
  return integer == 0 ? seed : mix(seed, integer | 0x101u);
}

/// An object that is never read: a heap object is plain data, so its members stand at the same
/// places in every one.
template <class T>
const T& sample() noexcept {
  alignas(T) static constexpr std::byte kBytes[sizeof(T)] = {};
  return *reinterpret_cast<const T*>(kBytes);
}

}  // namespace detail

namespace detail {

// A constant, so that no kernel has to take a name apart.
template <class T>
inline constexpr std::string_view kTypeName = spelled_name<T>();

}  // namespace detail

/// The type's name, for messages.
template <class T>
constexpr std::string_view type_name() noexcept {
  return detail::kTypeName<T>;
}

/// Equal on two nodes if and only if (up to hash collisions) name, size and alignment are equal.
template <class T>
consteval std::uint64_t type_hash() noexcept {
  return detail::hash_name(type_name<T>(), mix(sizeof(T), alignof(T)));
}

}  // namespace plurix

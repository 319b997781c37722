// The fields of a plain struct, found by the compiler: how many there are (by how many pairs of
// braces the aggregate can be initialized from), the fields themselves (by structured bindings),
// and their names (by how the compiler spells a pointer to one). What cannot be taken apart that
// way (private members, base classes, anonymous unions, more than 32 fields) says itself what it
// consists of:
//
//   class Account {
//    public:
//     PLURIX_FIELDS(owner_, cents_)
//    private:
//     Link<Person> owner_;
//     long cents_;
//   };
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace plurix {

class AnyLink;
template <class T>
class Link;

namespace detail {

inline constexpr std::size_t kMaxFields = 32;

template <class T>
inline constexpr bool kIsLink = false;
template <class T>
inline constexpr bool kIsLink<Link<T>> = true;
template <>
inline constexpr bool kIsLink<AnyLink> = true;

/// What `T::plurix_fields` is asked with when only its presence matters.
struct NoVisitor {
  template <class... Field>
  void operator()(Field&&...) const;
};

/// Not if only a base class does: what the class adds would never be found.
template <class T>
concept SaysItsFields = requires(const T& object) {
  T::plurix_fields(object, NoVisitor{});
  requires std::is_same_v<decltype(&T::plurix_fields_are_of_this_class), void (T::*)() const>;
};

template <class T>
concept IsStdArray = requires {
  requires std::is_same_v<typename T::value_type, std::tuple_element_t<0, T>>;
  requires sizeof(T) == sizeof(typename T::value_type) * std::tuple_size_v<T>;
  requires std::is_aggregate_v<T>;
};

template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; };

/// Becomes any base class of T, and nothing else.
template <class T>
struct AnyBase {
  template <class U>
    requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>)
  operator U() const;  // NOLINT: it is there to be converted
};

template <class T>
concept HasBase = requires { T{AnyBase<T>{}}; };

/// How many fields the aggregate has, or kMaxFields if it has more. A pair of braces stands for
/// exactly one field, also for an array, so this counts fields and not their elements. 0 if there
/// are none, or if the first one cannot be initialized from `{}`.
template <class T>
consteval std::size_t count_fields() noexcept {
  // clang-format off
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 32;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 31;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 30;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 29;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 28;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 27;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 26;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 25;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 24;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 23;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 22;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 21;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 20;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 19;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 18;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 17;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 16;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 15;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 14;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 13;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 12;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 11;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 10;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 9;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}}; }) return 8;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}}; }) return 7;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}, {}}; }) return 6;
  else   if constexpr (requires { T{{}, {}, {}, {}, {}}; }) return 5;
  else   if constexpr (requires { T{{}, {}, {}, {}}; }) return 4;
  else   if constexpr (requires { T{{}, {}, {}}; }) return 3;
  else   if constexpr (requires { T{{}, {}}; }) return 2;
  else   if constexpr (requires { T{{}}; }) return 1;
  else return 0;
  // clang-format on
}

/// Calls `function` with all `kCount` fields of an object.
template <std::size_t kCount, class T, class F>
constexpr decltype(auto) with_fields(T& object, F&& function) {
  // clang-format off
  if constexpr (kCount == 1) {
    auto& [f0] = object;
    return function(f0);
  } else if constexpr (kCount == 2) {
    auto& [f0, f1] = object;
    return function(f0, f1);
  } else if constexpr (kCount == 3) {
    auto& [f0, f1, f2] = object;
    return function(f0, f1, f2);
  } else if constexpr (kCount == 4) {
    auto& [f0, f1, f2, f3] = object;
    return function(f0, f1, f2, f3);
  } else if constexpr (kCount == 5) {
    auto& [f0, f1, f2, f3, f4] = object;
    return function(f0, f1, f2, f3, f4);
  } else if constexpr (kCount == 6) {
    auto& [f0, f1, f2, f3, f4, f5] = object;
    return function(f0, f1, f2, f3, f4, f5);
  } else if constexpr (kCount == 7) {
    auto& [f0, f1, f2, f3, f4, f5, f6] = object;
    return function(f0, f1, f2, f3, f4, f5, f6);
  } else if constexpr (kCount == 8) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7);
  } else if constexpr (kCount == 9) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8);
  } else if constexpr (kCount == 10) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9);
  } else if constexpr (kCount == 11) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10);
  } else if constexpr (kCount == 12) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11);
  } else if constexpr (kCount == 13) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12);
  } else if constexpr (kCount == 14) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13);
  } else if constexpr (kCount == 15) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14);
  } else if constexpr (kCount == 16) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15);
  } else if constexpr (kCount == 17) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16);
  } else if constexpr (kCount == 18) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17);
  } else if constexpr (kCount == 19) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18);
  } else if constexpr (kCount == 20) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19);
  } else if constexpr (kCount == 21) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20);
  } else if constexpr (kCount == 22) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21);
  } else if constexpr (kCount == 23) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22);
  } else if constexpr (kCount == 24) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23);
  } else if constexpr (kCount == 25) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24);
  } else if constexpr (kCount == 26) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25);
  } else if constexpr (kCount == 27) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26);
  } else if constexpr (kCount == 28) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27);
  } else if constexpr (kCount == 29) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28);
  } else if constexpr (kCount == 30) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29);
  } else if constexpr (kCount == 31) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30);
  } else if constexpr (kCount == 32) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31] = object;
    return function(f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31);
  }
  // clang-format on
}

/// How the compiler takes a type apart.
enum class Shape {
  kValue,
  kLink,
  kArray,
  kStdArray,
  kSaysItsFields,
  kTuple,
  kAggregate,
  kOpaque,  ///< cannot be taken apart; may be in the heap if it is trivially copyable
};

template <class T>
consteval Shape shape_of() noexcept {
  if constexpr (kIsLink<T>) {
    return Shape::kLink;
  } else if constexpr (std::is_array_v<T>) {
    return Shape::kArray;
  } else if constexpr (!std::is_class_v<T>) {
    return std::is_union_v<T> ? Shape::kOpaque : Shape::kValue;
  } else if constexpr (SaysItsFields<T>) {
    return Shape::kSaysItsFields;
  } else if constexpr (IsStdArray<T>) {
    return Shape::kStdArray;
  } else if constexpr (TupleLike<T>) {
    return Shape::kTuple;
  } else if constexpr (std::is_aggregate_v<T> && !HasBase<T>) {
    constexpr auto kCount = count_fields<T>();
    const bool counted = kCount > 0 ? kCount < kMaxFields : std::is_empty_v<T>;
    return counted ? Shape::kAggregate : Shape::kOpaque;
  } else {
    return Shape::kOpaque;
  }
}

// An object that exists nowhere: only pointers into it are ever formed, and only to be spelled.
#pragma GCC diagnostic push
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Wundefined-var-template"
#pragma GCC diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
struct Somewhere {
  T value;
};
template <class T>
extern const Somewhere<T> kNowhere;

template <auto kPointer>
consteval std::string_view spelled_pointer() noexcept {
  return __PRETTY_FUNCTION__;
}

constexpr bool is_identifier_character(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// The last identifier in how a pointer to a field is spelled.
constexpr std::string_view last_identifier(std::string_view text) noexcept {
  auto end = text.find("; ", text.find("kPointer = "));
  if (end == std::string_view::npos) end = text.size();
  while (end > 0 && !is_identifier_character(text[end - 1])) --end;
  auto begin = end;
  while (begin > 0 && is_identifier_character(text[begin - 1])) --begin;
  return text.substr(begin, end - begin);
}

template <class T, std::size_t kIndex>
consteval auto pointer_to_field() noexcept {
  return with_fields<count_fields<T>()>(kNowhere<T>.value, [](auto&... field) {
    return std::get<kIndex>(std::tuple(std::addressof(field)...));
  });
}

template <class T, std::size_t kIndex>
consteval std::string_view name_of_field() noexcept {
  if constexpr (requires { spelled_pointer<pointer_to_field<T, kIndex>()>(); }) {
    return last_identifier(spelled_pointer<pointer_to_field<T, kIndex>()>());
  } else {
    return {};
  }
}

struct NameProbe {
  int told;
};
static_assert(name_of_field<NameProbe, 0>() == "told",
              "this compiler does not tell the names of fields, by which nodes compare the layouts "
              "of types: take g++ 12, clang++ 19, or later");
#pragma GCC diagnostic pop

/// Calls `visit(name, field)` for each field of an object of a type that has fields. The name is
/// empty where there is none (std::pair), or the compiler does not tell it. A bit-field is visited
/// as a copy, outside the object.
template <class T, class Visit>
constexpr void each_field(const T& object, Visit visit) {
  constexpr auto kShape = shape_of<T>();
  if constexpr (kShape == Shape::kSaysItsFields) {
    T::plurix_fields(object, visit);
  } else if constexpr (kShape == Shape::kTuple) {
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      (visit(std::string_view{}, std::get<kIndex>(object)), ...);
    }(std::make_index_sequence<std::tuple_size_v<T>>{});
  } else if constexpr (kShape == Shape::kAggregate && count_fields<T>() > 0) {
    constexpr auto kCount = count_fields<T>();
    with_fields<kCount>(object, [&](const auto&... field) {
      [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
        (visit(name_of_field<T, kIndex>(), field), ...);
      }(std::make_index_sequence<kCount>{});
    });
  }
}

}  // namespace detail
}  // namespace plurix

// `visit("name", object.name)` for up to 32 names.
#define PLURIX_DETAIL_NOTHING()
#define PLURIX_DETAIL_LATER(macro) macro PLURIX_DETAIL_NOTHING()
#define PLURIX_DETAIL_SCAN(...) PLURIX_DETAIL_SCAN3(PLURIX_DETAIL_SCAN3(__VA_ARGS__))
#define PLURIX_DETAIL_SCAN3(...) PLURIX_DETAIL_SCAN2(PLURIX_DETAIL_SCAN2(__VA_ARGS__))
#define PLURIX_DETAIL_SCAN2(...) PLURIX_DETAIL_SCAN1(PLURIX_DETAIL_SCAN1(__VA_ARGS__))
#define PLURIX_DETAIL_SCAN1(...) PLURIX_DETAIL_SCAN0(PLURIX_DETAIL_SCAN0(__VA_ARGS__))
#define PLURIX_DETAIL_SCAN0(...) __VA_ARGS__
#define PLURIX_DETAIL_VISIT(first, ...) \
  visit(#first, object.first);          \
  __VA_OPT__(PLURIX_DETAIL_LATER(PLURIX_DETAIL_VISIT_AGAIN)()(__VA_ARGS__))
#define PLURIX_DETAIL_VISIT_AGAIN() PLURIX_DETAIL_VISIT

/// Stands in the body of a type that the compiler cannot take apart, and names its members, at most
/// 32. A link that is not named is never found: an object it points to may be freed.
#define PLURIX_FIELDS(...)                                           \
  void plurix_fields_are_of_this_class() const;                      \
  template <class Self, class Visit>                                 \
  static constexpr void plurix_fields(Self& object, Visit&& visit) { \
    PLURIX_DETAIL_SCAN(PLURIX_DETAIL_VISIT(__VA_ARGS__))             \
  }

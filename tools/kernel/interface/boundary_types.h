// What both halves of the kernel must have compiled alike: a type's name, size, alignment and
// fields, and of an interface its functions, as one number. Compared before the first call.
#pragma once

#include <plurix/heap/fields.h>
#include <plurix/heap/object.h>

#include <string_view>

namespace plurix::kernel {

struct BoundaryType {
  std::string_view name;
  std::uint64_t hash = 0;
};

/// Of name, size and alignment.
template <class T>
consteval BoundaryType boundary_type() noexcept {
  return {type_name<T>(), type_hash<T>()};
}

/// Of a plain struct also its fields, in their order. The fields' types are deduced, because one
/// that is written down is spelled by clang as it was written.
template <class T>
consteval BoundaryType boundary_struct() noexcept {
  auto hash = type_hash<T>();
  detail::each_field(T{}, [&]<class Field>(std::string_view name, const Field&) {
    hash = mix(detail::hash_name(name, hash), type_hash<Field>());
  });
  return {type_name<T>(), hash};
}

/// Of an interface: also of what its functions take and return, in the order of the table. These
/// are no templates with default arguments: g++ spells one as whoever comes first in a file has
/// written it.
template <class T, auto... kFunctions>
consteval BoundaryType boundary_interface() noexcept {
  auto hash = type_hash<T>();
  ((hash = detail::hash_name(type_name<decltype(kFunctions)>(), hash)), ...);
  return {type_name<T>(), hash};
}

}  // namespace plurix::kernel

// What this program knows of a type that it stores in the heap: its name, size and alignment, its
// fields, and where its links stand. Written once into the heap as a type descriptor (type.h), and
// compared with the one that is there (DESIGN H5).
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/heap/fields.h>
#include <plurix/heap/object.h>

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace plurix::heap {

/// `count` links, the first `offset` bytes from the object's beginning, each `stride` bytes behind
/// the one before.
struct LinkRun {
  std::uint32_t offset = 0;
  std::uint32_t count = 0;
  std::uint32_t stride = 0;
  std::uint32_t reserved = 0;

  friend constexpr bool operator==(const LinkRun&, const LinkRun&) noexcept = default;
};

inline constexpr std::size_t kMaxLinkRuns = 64;
using LinkRuns = BoundedVector<LinkRun, kMaxLinkRuns>;

struct FieldLayout {
  std::string_view name;
  std::string_view type;
  std::uint64_t hash = 0;  ///< of its type and everything in it
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct TypeLayout {
  std::string_view name;
  std::uint64_t name_hash = 0;    ///< of the name alone
  std::uint64_t type_hash = 0;    ///< of name, size and alignment
  std::uint64_t layout_hash = 0;  ///< of everything in it
  std::uint64_t size = 0;
  std::uint32_t alignment = 0;
  BoundedVector<FieldLayout, detail::kMaxFields> fields;
  LinkRuns links;
  bool too_many_links = false;  ///< more runs than kMaxLinkRuns
};

/// Adds `inner`, the links of an element, for `count` elements `stride` bytes apart, the first at
/// `offset`. False if there is no room.
[[nodiscard]] bool add_repeated(LinkRuns& runs, const LinkRuns& inner, std::uint32_t offset,
                                std::uint32_t count, std::uint32_t stride) noexcept;

template <class T>
bool add_links(LinkRuns& runs, const T& sample, std::uint32_t offset);

template <class Element>
bool add_links_of_elements(LinkRuns& runs, const Element& first, std::uint32_t offset,
                           std::size_t count) {
  LinkRuns inner;
  return add_links(inner, first, 0) &&
         add_repeated(runs, inner, offset, static_cast<std::uint32_t>(count), sizeof(Element));
}

/// Where a field stands in its object; not inside it for a bit-field.
template <class T, class Field>
std::uint64_t offset_in(const T& object, const Field& field) noexcept {
  return static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(&field) -
                                    reinterpret_cast<const std::byte*>(&object));
}

/// Adds the links of an object of type T that stands at `offset`. `sample` is never read.
template <class T>
bool add_links(LinkRuns& runs, const T& sample, std::uint32_t offset) {
  constexpr auto kShape = detail::shape_of<T>();
  if constexpr (std::is_trivially_copyable_v<T>) {
    return true;  // a link is not
  } else if constexpr (kShape == detail::Shape::kLink) {
    return runs.push({.offset = offset, .count = 1, .stride = sizeof(T)});
  } else if constexpr (kShape == detail::Shape::kArray) {
    return add_links_of_elements(runs, sample[0], offset, std::extent_v<T>);
  } else if constexpr (kShape == detail::Shape::kStdArray) {
    return add_links_of_elements(runs, *sample.data(), offset, std::tuple_size_v<T>);
  } else {
    static_assert(kShape != detail::Shape::kOpaque && kShape != detail::Shape::kValue,
                  "the links in this type cannot be found: name its members with PLURIX_FIELDS");
    bool room = true;
    detail::each_field(sample, [&](std::string_view, const auto& field) {
      const auto at = offset_in(sample, field);
      if (at < sizeof(T)) {
        room = add_links(runs, field, offset + static_cast<std::uint32_t>(at)) && room;
      }
    });
    return room;
  }
}

/// Equal on two nodes if and only if (up to hash collisions) they compiled the type, and every type
/// in it, to the same fields at the same places.
template <class T>
std::uint64_t layout_hash(const T& sample) {
  constexpr auto kShape = detail::shape_of<T>();
  if constexpr (kShape == detail::Shape::kArray) {
    return mix(layout_hash(sample[0]), std::extent_v<T>);
  } else if constexpr (kShape == detail::Shape::kStdArray) {
    return mix(layout_hash(*sample.data()), std::tuple_size_v<T>);
  } else {
    auto hash = type_hash<T>();
    detail::each_field(sample, [&](std::string_view name, const auto& field) {
      const auto at = offset_in(sample, field);
      hash = mix(detail::hash_name(name, hash), at < sizeof(T) ? at : sizeof(T));
      hash = mix(hash, layout_hash(field));
    });
    return hash;
  }
}

template <class T>
void describe(TypeLayout& layout) {
  const auto& sample = detail::sample<T>();
  layout.name = type_name<T>();
  layout.name_hash = detail::hash_name(layout.name, 0);
  layout.type_hash = type_hash<T>();
  layout.layout_hash = layout_hash(sample);
  layout.size = sizeof(T);
  layout.alignment = alignof(T);
  layout.too_many_links = !add_links(layout.links, sample, 0);
  detail::each_field(sample, [&](std::string_view name, const auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    const auto at = offset_in(sample, field);
    if (at >= sizeof(T)) return;
    (void)layout.fields.push({.name = name,
                              .type = type_name<Field>(),
                              .hash = layout_hash(field),
                              .offset = static_cast<std::uint32_t>(at),
                              .size = static_cast<std::uint32_t>(sizeof(Field))});
  });
}

using Describe = void (*)(TypeLayout&);

}  // namespace plurix::heap

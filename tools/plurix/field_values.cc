#include "field_values.h"

#include <plurix/heap/link.h>

#include <cstring>
#include <optional>
#include <string>

namespace plurix::tool {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBytesShown = 32;
constexpr std::size_t kElementsShown = 16;

enum class Kind : std::uint8_t { kSigned, kUnsigned, kFloating, kBool, kText, kLink, kOther };

bool is_link(std::string_view type) {
  return type.starts_with("plurix::Link<") || type.starts_with("plurix::AnyLink");
}

/// Of words like "long unsigned int", in whatever order a compiler puts them.
Kind kind_of_integer(std::string_view type) {
  bool is_unsigned = false;
  while (!type.empty()) {
    const auto end = std::min(type.find(' '), type.size());
    const auto word = type.substr(0, end);
    type.remove_prefix(std::min(end + 1, type.size()));
    if (word == "unsigned") {
      is_unsigned = true;
    } else if (word != "int" && word != "long" && word != "short" && word != "char" &&
               word != "signed") {
      return Kind::kOther;
    }
  }
  return is_unsigned ? Kind::kUnsigned : Kind::kSigned;
}

Kind kind_of(std::string_view type) {
  if (type == "char") return Kind::kText;
  if (type == "bool") return Kind::kBool;
  if (type == "float" || type == "double") return Kind::kFloating;
  return is_link(type) ? Kind::kLink : kind_of_integer(type);
}

template <class T>
T as(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
  return value;
}

Json hexadecimal(std::span<const std::byte> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes.first(std::min(bytes.size(), kBytesShown))) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  if (bytes.size() > kBytesShown) text += "…";
  return {{"bytes", text}};
}

/// Up to the first zero; what is not printable as an escape, so that any heap gives valid JSON.
Json text_of(std::span<const std::byte> bytes) {
  std::string text;
  for (const auto byte : bytes) {
    const auto c = std::to_integer<unsigned char>(byte);
    if (c == 0) break;
    if (c >= 0x20 && c < 0x7f) {
      text += static_cast<char>(c);
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", c);
      text += escape;
    }
  }
  return text;
}

Json signed_number(std::span<const std::byte> bytes) {
  auto value = as<std::uint64_t>(bytes);
  const auto shift = 64 - 8 * std::min<std::size_t>(bytes.size(), 8);
  value <<= shift;
  return static_cast<std::int64_t>(value) >> shift;
}

Json link_of(std::span<const std::byte> bytes) {
  const auto word = as<std::uint64_t>(bytes);
  const auto target = word & ~heap::kTargetFlags;
  Json link = {{"link", target}};
  if ((word & heap::kWeak) != 0) link["weak"] = true;
  return link;
}

Json single(Kind kind, std::span<const std::byte> bytes) {
  switch (kind) {
    case Kind::kSigned:
      return bytes.size() <= 8 ? signed_number(bytes) : hexadecimal(bytes);
    case Kind::kUnsigned:
      return bytes.size() <= 8 ? Json(as<std::uint64_t>(bytes)) : hexadecimal(bytes);
    case Kind::kFloating:
      return bytes.size() == 4 ? Json(as<float>(bytes)) : Json(as<double>(bytes));
    case Kind::kBool:
      return as<std::uint8_t>(bytes) != 0;
    case Kind::kText:
      return text_of(bytes);
    case Kind::kLink:
      return link_of(bytes);
    case Kind::kOther:
      break;
  }
  return hexadecimal(bytes);
}

/// "long int [4][2]": the element's type, and how many there are in all.
struct ArrayType {
  std::string_view element;
  std::size_t count = 1;
};

std::optional<ArrayType> take_array_apart(std::string_view type) {
  if (!type.ends_with(']')) return {};
  ArrayType array;
  auto at = type.rfind(" [");
  if (at == type.npos) at = type.find('[');
  if (at == type.npos || at == 0) return {};
  array.element = type.substr(0, at);
  std::size_t number = 0;
  for (const char c : type.substr(at)) {
    if (c >= '0' && c <= '9') number = number * 10 + static_cast<std::size_t>(c - '0');
    if (c != ']') continue;
    array.count *= number;
    number = 0;
  }
  return array;
}

Json list_of(const ArrayType& array, std::span<const std::byte> bytes) {
  const auto kind = kind_of(array.element);
  const bool fits = array.count != 0 && bytes.size() % array.count == 0;
  if (kind == Kind::kText || kind == Kind::kOther || !fits) return single(kind, bytes);
  const auto size = bytes.size() / array.count;
  auto list = Json::array();
  for (std::size_t i = 0; i < std::min(array.count, kElementsShown); ++i) {
    list.push_back(single(kind, bytes.subspan(i * size, size)));
  }
  if (array.count > kElementsShown) list.push_back("…");
  return list;
}

}  // namespace

Json field_value(std::string_view type, std::span<const std::byte> bytes) {
  if (const auto array = take_array_apart(type)) return list_of(*array, bytes);
  // A long type's name stands in the heap shortened, without the count behind it.
  if (is_link(type) && bytes.size() > sizeof(AnyLink)) {
    return list_of({type, bytes.size() / sizeof(AnyLink)}, bytes);
  }
  return single(kind_of(type), bytes);
}

}  // namespace plurix::tool

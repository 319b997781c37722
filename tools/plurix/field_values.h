// The fields of an object in the heap, read by what its type descriptor says of them: for people
// who look at a heap without the program that made it.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

namespace plurix::tool {

/// The value of a field of the type spelled so: a number, a text, a list of either, {"link":
/// offset} for a link, {"bytes": "0a1b…"} for what this program cannot take apart.
nlohmann::ordered_json field_value(std::string_view type, std::span<const std::byte> bytes);

}  // namespace plurix::tool

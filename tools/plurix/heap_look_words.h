// The documents of heap_look.h as words for people.
#pragma once

#include <string>

#include "heap_look.h"

namespace plurix::tool {

std::string words_for_census(const Json& census);
std::string words_for_page(const Json& page);
std::string words_for_object(const Json& object);
std::string words_for_types(const Json& types);
std::string words_for_names(const Json& names);

/// "0x2a4018": as offsets are written, and as `plurix inspect` takes them.
std::string hex(std::uint64_t offset);

}  // namespace plurix::tool

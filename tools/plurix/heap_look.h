// Single things of a heap as JSON documents: what `plurix inspect --json` says, and what its words
// are made from (heap_look_words.h). Offsets are bytes from the heap's base. All of it only reads;
// an offset at which nothing stands gives null.
#pragma once

#include <plurix/transaction.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "heap_census.h"

namespace plurix::tool {

using Json = nlohmann::ordered_json;

/// Objects, links, names and values of one thing that are shown at most.
inline constexpr std::size_t kMostShown = 1000;

/// "plurix::Link<Item>"; empty for the system's own objects, which have no descriptor.
std::string type_name_at(Transaction& t, heap::Offset descriptor);

/// What stands on a page, block by block.
Json look_at_page(Transaction& t, PageIndex page);

/// The object whose header or body contains the offset: its type and values, where its links lead
/// to, and from where it is linked. Null if there is no object.
Json look_at_object(Transaction& t, heap::Offset offset);

/// Every type the heap knows, with its fields.
Json look_at_types(Transaction& t);

/// Every name below a directory, "" for the first. Null if there is no such directory.
Json look_at_names(Transaction& t, const std::string& directory);

Json look_at_census(Transaction& t, const HeapCensus& census);

std::string_view to_string(Placement placement) noexcept;

}  // namespace plurix::tool

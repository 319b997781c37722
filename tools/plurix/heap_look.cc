#include "heap_look.h"

#include <plurix/heap/backchain.h>

#include <algorithm>

#include "field_values.h"

namespace plurix::tool {
namespace {

using heap::Offset;
using heap::PageUse;
using heap::Tag;
using heap::TypeView;

constexpr std::size_t kElementsShown = 16;
constexpr std::size_t kDirectoriesDeep = 16;

bool is_object_body(Transaction& t, Offset body) {
  return body > heap::offset_of(heap::Regions::kRoots) && body < heap::offset_of(t.pages()) &&
         heap::header_of(t, body) != 0;
}

/// The descriptor, or an empty view of anything else.
TypeView type_at(Transaction& t, Offset descriptor) {
  return is_object_body(t, descriptor) ? TypeView(t, descriptor) : TypeView();
}

std::string_view use_of(PageUse use) noexcept {
  switch (use) {
    case PageUse::kFree:
      return "free";
    case PageUse::kSmall:
      return "small objects";
    case PageUse::kLarge:
      return "large object";
    case PageUse::kLargeRest:
      return "rest of a large object";
  }
  return "unknown";
}

/// Beside the objects: what the first pages are for.
std::string_view table_of(Transaction& t, PageIndex page) noexcept {
  using heap::Regions;
  const auto r = heap::regions(t.pages());
  if (page >= r.first) return {};
  if (page == 0) return "root block";
  if (page == Regions::kManager) return "memory manager";
  if (page == Regions::kTypes) return "table of types";
  if (page == Regions::kNodes) return "table of nodes";
  if (page == Regions::kRoots) return "root of all names";
  if (page < r.map) return "summary of the page map";
  return page < r.large_index ? "page map" : "index of large objects";
}

Offset large_object_of(Transaction& t, PageIndex page) {
  const auto first = heap::regions(t.pages()).first;
  while (page > first && heap::page_entry(t, page).use == PageUse::kLargeRest) --page;
  return heap::header_of(t, heap::offset_of(page));
}

std::uint64_t count_chain(Transaction& t, Offset header) {
  heap::ChainWalk walk(t, header);
  std::uint64_t count = 0;
  while (count < kMostShown && walk.next() != 0) ++count;
  return count;
}

/// What every list of objects says of one.
Json summary_of(Transaction& t, Offset header) {
  const Tag tag(t.load(header + heap::kTagAt));
  Json json = {{"offset", heap::body_of(t, header)},
               {"type", type_name_at(t, t.load(header + heap::kTypeAt))},
               {"bytes", heap::body_bytes(t, header)},
               {"links_in", count_chain(t, header)}};
  if (tag.has(Tag::kArray)) json["elements"] = t.load(heap::body_of(t, header));
  if (tag.has(Tag::kLarge)) json["large"] = true;
  if (tag.has(Tag::kPinned)) json["pinned"] = true;
  if (tag.has(Tag::kCandidate)) json["candidate"] = true;
  return json;
}

/// The header of the object in whose block or body the offset lies; 0 if there is none.
Offset object_around(Transaction& t, Offset offset) {
  const auto page = page_of(offset);
  if (page < heap::regions(t.pages()).first || page >= t.pages()) return 0;
  const auto use = heap::page_entry(t, page).use;
  if (use == PageUse::kLarge || use == PageUse::kLargeRest) return large_object_of(t, page);
  if (!holds_small_objects(t, page)) return 0;
  Offset found = 0;
  for_each_block(t, page, [&](const Block& block) {
    const bool around = offset >= block.at && offset < block.at + block.tag.bytes();
    if (around && block.tag.is_object()) found = block.at;
  });
  return found;
}

/// ".vertices[3]", ".places+4120": a place in a field, which may be made of parts.
std::string place_in_field(const TypeView& type, const heap::TypeField& field,
                           std::uint64_t offset) {
  const auto name = "." + std::string(type.name_of(field));
  const auto inside = offset - field.offset;
  if (!type.type_of(field).starts_with("plurix::Link<")) {
    return inside == 0 ? name : name + "+" + std::to_string(inside);
  }
  const bool is_array = field.size > sizeof(AnyLink);
  return is_array ? name + "[" + std::to_string(inside / sizeof(AnyLink)) + "]" : name;
}

/// "Graph.vertices[3]" for a slot in an object of that type, as far as the descriptor knows.
std::string place_in(const TypeView& type, std::uint64_t offset, bool is_array) {
  std::string place(type.name());
  if (is_array) {
    const auto first = std::max<std::uint64_t>(type.head().alignment, heap::kGranule);
    if (offset < first || type.head().size == 0) return place;
    place += "[" + std::to_string((offset - first) / type.head().size) + "]";
    offset = (offset - first) % type.head().size;
  }
  for (const auto& field : type.fields()) {
    if (offset < field.offset || offset >= field.offset + field.size) continue;
    return place + place_in_field(type, field, offset);
  }
  return place;
}

Json fields_of(Transaction& t, const TypeView& type, Offset at) {
  auto fields = Json::object();
  for (const auto& field : type.fields()) {
    if (field.offset + std::uint64_t{field.size} > type.head().size) continue;
    const auto* bytes = t.reading_range(at + field.offset, field.size);
    fields[std::string(type.name_of(field))] =
        field_value(type.type_of(field), {bytes, field.size});
  }
  return fields;
}

Json value_at(Transaction& t, const TypeView& type, Offset at) {
  if (!type.fields().empty()) return fields_of(t, type, at);
  const auto size = type.head().size;
  return field_value(type.name(), {t.reading_range(at, size), size});
}

Json text_at(Transaction& t, Offset at, std::uint64_t length) {
  length = std::min<std::uint64_t>(length, kMostShown);
  return field_value("char", {t.reading_range(at, length), length});
}

Json elements_of(Transaction& t, const TypeView& type, Offset body) {
  const auto first = body + std::max<std::uint64_t>(type.head().alignment, heap::kGranule);
  const auto count = t.load(body);
  if (type.name() == "char") return text_at(t, first, count);
  auto elements = Json::array();
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, kElementsShown); ++i) {
    elements.push_back(value_at(t, type, first + i * type.head().size));
  }
  return elements;
}

Json links_of(Transaction& t, Offset header, const TypeView& type) {
  auto links = Json::array();
  const auto body = heap::body_of(t, header);
  const bool is_array = Tag(t.load(header + heap::kTagAt)).has(Tag::kArray);
  heap::LinkWalk walk(t, header);
  for (auto slot = walk.next(); slot != 0 && links.size() < kMostShown; slot = walk.next()) {
    const auto word = t.load(slot + heap::kTargetAt);
    const auto target = word & ~heap::kTargetFlags;
    if (target == 0) continue;
    const auto to = is_object_body(t, target) ? heap::header_of(t, target) : 0;
    links.push_back({{"from", place_in(type, slot - body, is_array)},
                     {"to", target},
                     {"type", to == 0 ? "" : type_name_at(t, t.load(to + heap::kTypeAt))},
                     {"weak", (word & heap::kWeak) != 0}});
  }
  return links;
}

/// Who links to an object, out of its backchain.
Json linked_from(Transaction& t, Offset header) {
  auto links = Json::array();
  heap::ChainWalk walk(t, header);
  for (auto slot = walk.next(); slot != 0 && links.size() < kMostShown; slot = walk.next()) {
    const auto from = object_around(t, slot);
    Json link = {{"slot", slot}};
    if (from == 0) {
      link["place"] = table_of(t, page_of(slot));
    } else {
      const auto type = type_at(t, t.load(from + heap::kTypeAt));
      const auto body = heap::body_of(t, from);
      const bool is_array = Tag(t.load(from + heap::kTagAt)).has(Tag::kArray);
      link["object"] = body;
      link["place"] = type ? place_in(type, slot - body, is_array) : "";
    }
    link["weak"] = (t.load(slot + heap::kTargetAt) & heap::kWeak) != 0;
    links.push_back(std::move(link));
  }
  return links;
}

void add_large_page(Transaction& t, PageIndex page, Json& json) {
  const auto header = large_object_of(t, page);
  if (header != 0) json["object"] = summary_of(t, header);
}

void add_small_page(Transaction& t, PageIndex page, Json& json) {
  auto objects = Json::array();
  std::uint64_t hole_bytes = 0;
  std::uint64_t holes = 0;
  const bool whole = for_each_block(t, page, [&](const Block& block) {
    if (block.tag.is_object()) {
      objects.push_back(summary_of(t, block.at));
    } else {
      hole_bytes += block.tag.bytes();
      ++holes;
    }
  });
  json["sound"] = whole;
  json["holes"] = holes;
  json["hole_bytes"] = hole_bytes;
  json["objects"] = std::move(objects);
}

Json type_document(const TypeView& type, Offset at) {
  std::uint64_t links = 0;
  for (const auto& run : type.links()) links += run.count;
  Json json = {{"name", std::string(type.name())},
               {"descriptor", at},
               {"bytes", type.head().size},
               {"alignment", type.head().alignment},
               {"links", links}};
  auto fields = Json::array();
  for (const auto& field : type.fields()) {
    fields.push_back({{"name", std::string(type.name_of(field))},
                      {"type", std::string(type.type_of(field))},
                      {"offset", field.offset},
                      {"bytes", field.size}});
  }
  json["fields"] = std::move(fields);
  return json;
}

void add_names(Transaction& t, const std::string& directory, std::size_t deep, Json& names) {
  heap::Listing listing(t, directory);
  std::vector<NameListing> found;
  while (const auto name = listing.next()) found.push_back(*name);
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& name : found) {
    const auto path = (directory.empty() ? "" : directory + "/") + std::string(name.name);
    const auto header = is_object_body(t, name.target) ? heap::header_of(t, name.target) : 0;
    const auto type = header == 0 ? "" : type_name_at(t, t.load(header + heap::kTypeAt));
    names.push_back({{"path", path},
                     {"object", name.target},
                     {"type", type},
                     {"directory", name.is_directory}});
    if (name.is_directory && deep > 0) add_names(t, path, deep - 1, names);
  }
}

Json counts_of(const PageCount& count) {
  return {{"pages", count.pages},
          {"empty_pages", count.empty},
          {"objects", count.objects},
          {"used_bytes", count.used_bytes},
          {"hole_bytes", count.hole_bytes}};
}

Json nodes_of(const HeapCensus& census) {
  auto nodes = Json::array();
  for (const auto& [node, count] : census.nodes) {
    auto json = counts_of(count);
    json["node"] = node;
    nodes.push_back(std::move(json));
  }
  return nodes;
}

Json placements_of(const HeapCensus& census) {
  auto placements = Json::object();
  for (std::size_t i = 0; i < kPlacements; ++i) {
    const std::string name(to_string(static_cast<Placement>(i)));
    placements[name] = counts_of(census.placements[i]);
  }
  return placements;
}

/// The most frequent first.
Json type_counts_of(Transaction& t, const HeapCensus& census) {
  std::vector<std::pair<Offset, TypeCount>> sorted(census.types.begin(), census.types.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.objects > b.second.objects; });
  auto types = Json::array();
  for (const auto& [type, count] : sorted) {
    types.push_back({{"name", type_name_at(t, type)},
                     {"objects", count.objects},
                     {"arrays", count.arrays},
                     {"bytes", count.bytes},
                     {"unlinked", count.unlinked}});
  }
  return types;
}

}  // namespace

std::string_view to_string(Placement placement) noexcept {
  switch (placement) {
    case Placement::kReadWrite:
      return "read-write";
    case Placement::kReadOnly:
      return "read-only";
    case Placement::kSystemReadWrite:
      return "system read-write";
    case Placement::kSystemReadOnly:
      return "system read-only";
  }
  return "unknown";
}

std::string type_name_at(Transaction& t, Offset descriptor) {
  const auto type = type_at(t, descriptor);
  return type ? std::string(type.name()) : std::string();
}

Json look_at_page(Transaction& t, PageIndex page) {
  if (page >= t.pages()) return nullptr;
  Json json = {{"page", page}, {"offset", heap::offset_of(page)}};
  if (const auto table = table_of(t, page); !table.empty()) {
    json["use"] = table;
    return json;
  }
  const auto entry = heap::page_entry(t, page);
  json["use"] = use_of(entry.use);
  if (entry.use == PageUse::kFree) return json;
  json["placement"] = to_string(entry.placement);
  json["node"] = entry.node;
  if (entry.use != PageUse::kSmall) {
    add_large_page(t, page, json);
  } else if (holds_small_objects(t, page)) {
    add_small_page(t, page, json);
  } else {
    json["use"] = "not used yet, in its node's run";
  }
  return json;
}

Json look_at_object(Transaction& t, Offset offset) {
  const auto header = offset < heap::offset_of(t.pages()) ? object_around(t, offset) : 0;
  if (header == 0) return nullptr;
  auto json = summary_of(t, header);
  const auto body = heap::body_of(t, header);
  const Tag tag(t.load(header + heap::kTagAt));
  const auto page = page_of(body);
  json["page"] = page;
  json["pages"] = tag.has(Tag::kLarge) ? heap::pages_for(heap::body_bytes(t, header)) : 1;
  json["placement"] = to_string(tag.placement());
  json["node"] = tag.node();
  const auto type = type_at(t, t.load(header + heap::kTypeAt));
  if (type) {
    const bool is_array = tag.has(Tag::kArray);
    json["value"] = is_array ? elements_of(t, type, body) : value_at(t, type, body);
    json["links"] = links_of(t, header, type);
  }
  json["linked_from"] = linked_from(t, header);
  return json;
}

Json look_at_types(Transaction& t) {
  auto types = Json::array();
  for (std::uint32_t place = 0; place < heap::kWordsPerPage; ++place) {
    for (auto at = heap::first_type(t, place); is_object_body(t, at);) {
      const TypeView type(t, at);
      types.push_back(type_document(type, at));
      at = type.head().next;
    }
  }
  std::sort(types.begin(), types.end(),
            [](const Json& a, const Json& b) { return a["name"] < b["name"]; });
  return types;
}

Json look_at_names(Transaction& t, const std::string& directory) {
  if (!heap::Listing(t, directory).found()) return directory.empty() ? Json::array() : Json();
  auto names = Json::array();
  add_names(t, directory, kDirectoriesDeep, names);
  return names;
}

Json look_at_census(Transaction& t, const HeapCensus& census) {
  const auto first = heap::regions(t.pages()).first;
  PageCount all;
  std::uint64_t unlinked = 0;
  for (const auto& [node, count] : census.nodes) all.add(count);
  for (const auto& [type, count] : census.types) unlinked += count.unlinked;
  return {{"pages", t.pages()},
          {"table_pages", first},
          {"free_pages", census.free_pages},
          {"large_pages", census.large_pages},
          {"large_objects", census.large_objects},
          {"objects", all.objects},
          {"used_bytes", all.used_bytes},
          {"hole_bytes", all.hole_bytes},
          {"unlinked", unlinked},
          {"broken_pages", census.broken},
          {"nodes", nodes_of(census)},
          {"placements", placements_of(census)},
          {"types", type_counts_of(t, census)}};
}

}  // namespace plurix::tool

#include "heap_look_words.h"

#include <plurix/posix/node_options.h>

#include <cstdio>

#include "demo_display.h"

namespace plurix::tool {
namespace {

constexpr std::size_t kTypesShown = 20;

std::string number(const Json& value) { return with_separators(value.get<std::uint64_t>()); }

std::string plural(const Json& count, const std::string& one, const std::string& many) {
  return number(count) + " " + (count == 1 ? one : many);
}

std::string plural(const Json& count, const std::string& one) {
  return plural(count, one, one + "s");
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

std::string type_of(const Json& object) {
  const auto name = object.value("type", std::string());
  return name.empty() ? "(the system's own)" : name;
}

std::string type_with_count(const Json& object) {
  if (!object.contains("elements")) return type_of(object);
  return type_of(object) + "[" + number(object["elements"]) + "]";
}

std::string link_words(const Json& link) {
  const auto target = link["link"].get<std::uint64_t>();
  if (target == 0) return "nothing";
  return "→ " + hex(target) + (link.contains("weak") ? " (weak)" : "");
}

std::string value_words(const Json& value);

std::string join(const Json& values) {
  std::string words;
  for (const auto& value : values) words += (words.empty() ? "" : ", ") + value_words(value);
  return words;
}

std::string fields_words(const Json& fields) {
  std::string words;
  for (const auto& [name, value] : fields.items()) {
    words += (words.empty() ? "" : ", ") + name + " " + value_words(value);
  }
  return words;
}

std::string value_words(const Json& value) {
  if (value.is_array()) return "[" + join(value) + "]";
  if (!value.is_object()) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (value.contains("link")) return link_words(value);
  if (value.contains("bytes") && value.size() == 1) {
    return "bytes " + value["bytes"].get<std::string>();
  }
  return "{" + fields_words(value) + "}";
}

std::string flags_of(const Json& object) {
  std::string words;
  if (object.contains("large")) words += ", large";
  if (object.contains("pinned")) words += ", pinned";
  if (object.contains("candidate")) words += ", candidate of the collector";
  return words;
}

std::string line_of(const Json& object) {
  return "  " + left(hex(object["offset"]), 12) + right(number(object["bytes"]), 10) + " bytes  " +
         left(type_with_count(object), 40) + "  " + plural(object["links_in"], "link") + " to it" +
         flags_of(object) + "\n";
}

std::string pages_line(const std::string& who, const Json& count) {
  return left(who, 20) + right(plural(count["pages"], "page"), 14) + ", " +
         number(count["empty_pages"]) + " empty; " + plural(count["objects"], "object") + ", " +
         number(count["used_bytes"]) + " bytes, " + number(count["hole_bytes"]) +
         " bytes in holes\n";
}

std::string types_table(const Json& types) {
  std::string words =
      "\n" + right("objects", 12) + right("bytes", 14) + right("unlinked", 10) + "  type\n";
  std::size_t shown = 0;
  for (const auto& type : types) {
    if (shown++ == kTypesShown) {
      return words + "  … and " + std::to_string(types.size() - kTypesShown) + " types more\n";
    }
    const auto name = type["name"].get<std::string>();
    words += right(number(type["objects"]), 12) + right(number(type["bytes"]), 14) +
             right(number(type["unlinked"]), 10) + "  " +
             (name.empty() ? "(the system's own)" : name) +
             (type["arrays"] != 0 ? "  (" + plural(type["arrays"], "array") + ")" : "") + "\n";
  }
  return words;
}

std::string links_words(const Json& object) {
  std::string words;
  for (const auto& link : object.value("links", Json::array())) {
    words += "  " + link["from"].get<std::string>() + (link["weak"] == true ? " ⇢ " : " → ") +
             hex(link["to"]) + " " + type_of(link) + "\n";
  }
  return words.empty() ? words : "links to\n" + words;
}

std::string linked_from_words(const Json& object) {
  std::string words;
  for (const auto& link : object["linked_from"]) {
    words += "  " + (link.contains("object") ? hex(link["object"]) + " " : std::string()) +
             link["place"].get<std::string>() + (link["weak"] == true ? " (weak)" : "") + "\n";
  }
  return words.empty() ? "linked from nowhere\n" : "linked from\n" + words;
}

}  // namespace

std::string hex(std::uint64_t offset) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(offset));
  return text;
}

std::string words_for_census(const Json& census) {
  const auto pages = census["pages"].get<std::uint64_t>();
  const auto taken = pages - census["free_pages"].get<std::uint64_t>();
  std::string words = posix::format_bytes(pages * kPageSize) + ": " + with_separators(pages) +
                      " pages, " + with_separators(taken) + " taken (" +
                      number(census["table_pages"]) + " by the heap's tables, " +
                      number(census["large_pages"]) + " by " +
                      plural(census["large_objects"], "large object") + ")\n" +
                      plural(census["objects"], "object") + ", " + number(census["unlinked"]) +
                      " of them not linked from anywhere\n\n";
  for (const auto& node : census["nodes"]) {
    words += pages_line("node " + number(node["node"]), node);
  }
  words += "\n";
  for (const auto& [name, count] : census["placements"].items()) words += pages_line(name, count);
  words += types_table(census["types"]);
  for (const auto& page : census["broken_pages"]) {
    words += "BROKEN: the blocks of page " + number(page) + " do not tile it\n";
  }
  return words;
}

std::string words_for_page(const Json& page) {
  std::string words = "page " + number(page["page"]) + " at " + hex(page["offset"]) + ": " +
                      page["use"].get<std::string>();
  if (page.contains("node")) {
    words += ", " + page["placement"].get<std::string>() + ", of node " + number(page["node"]);
  }
  words += "\n";
  if (page.contains("object")) words += line_of(page["object"]);
  if (!page.contains("objects")) return words;
  for (const auto& object : page["objects"]) words += line_of(object);
  words += plural(page["objects"].size(), "object") + ", " + number(page["hole_bytes"]) +
           " bytes free in " + plural(page["holes"], "hole") + "\n";
  if (page["sound"] != true) words += "BROKEN: the blocks do not tile the page\n";
  return words;
}

std::string words_for_object(const Json& object) {
  std::string words = hex(object["offset"]) + " " + type_with_count(object) + ", " +
                      plural(object["bytes"], "byte") + ", on " +
                      (object["pages"] == 1 ? "page " : "pages from ") + number(object["page"]) +
                      " (" + object["placement"].get<std::string>() + ") of node " +
                      number(object["node"]) + flags_of(object) + "\n";
  if (object.contains("value")) {
    const auto& value = object["value"];
    if (!value.is_object() || value.contains("link") || value.contains("bytes")) {
      words += "  " + value_words(value) + "\n";
    } else {
      for (const auto& [name, field] : value.items()) {
        words += "  " + left(name, 20) + " " + value_words(field) + "\n";
      }
    }
  }
  return words + links_words(object) + linked_from_words(object);
}

std::string words_for_types(const Json& types) {
  std::string words;
  for (const auto& type : types) {
    words += type["name"].get<std::string>() + "  " + plural(type["bytes"], "byte") +
             ", aligned to " + number(type["alignment"]) + ", " + plural(type["links"], "link") +
             "\n";
    for (const auto& field : type["fields"]) {
      words += right(number(field["offset"]), 8) + "  " +
               left(field["name"].get<std::string>(), 20) + " " + field["type"].get<std::string>() +
               ", " + plural(field["bytes"], "byte") + "\n";
    }
  }
  return words.empty() ? "no program has used a type yet\n" : words;
}

std::string words_for_names(const Json& names) {
  std::string words;
  for (const auto& name : names) {
    const bool directory = name["directory"] == true;
    words += left(name["path"].get<std::string>() + (directory ? "/" : ""), 40) + " " +
             left(hex(name["object"]), 12) + " " + (directory ? "" : type_of(name)) + "\n";
  }
  return words.empty() ? "no names\n" : words;
}

}  // namespace plurix::tool

#include "sharing_words.h"

#include <string>

#include "heap_look_words.h"

namespace plurix::tool {
namespace {

using Object = gc::SharingReport::Object;

constexpr std::size_t kNamed = 3;

std::string name_of(Transaction& t, const Object& object) {
  if (object.body == 0) return "the page's free room";
  const auto type = type_name_at(t, object.type);
  return (type.empty() ? "an object of the system" : type) + " at " + hex(object.body);
}

/// The first few of those that `wanted` chooses.
template <class Wanted>
std::string names(Transaction& t, const gc::SharingReport& report, Wanted wanted) {
  std::string words;
  std::size_t count = 0;
  for (const auto& object : report.objects) {
    if (!wanted(object) || ++count > kNamed) continue;
    words += (words.empty() ? "" : ", ") + name_of(t, object);
    if (object.moved_to != 0) words += " (moved to " + hex(object.moved_to) + ")";
  }
  if (count > kNamed) words += " and " + std::to_string(count - kNamed) + " more";
  return words.empty() ? "nothing known" : words;
}

Json numbers_in(std::uint64_t set) {
  auto numbers = Json::array();
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if ((set >> node & 1) != 0) numbers.push_back(node);
  }
  return numbers;
}

std::string others_in(std::uint64_t set) {
  const auto numbers = numbers_in(set);
  std::string words = numbers.size() == 1 ? "node " : "nodes ";
  for (const auto& number : numbers) words += (number == numbers[0] ? "" : ", ") + number.dump();
  return words;
}

std::string words_for(Transaction& t, const gc::SharingReport& report) {
  const bool falsely = report.sharing == gc::Sharing::kFalse;
  const auto who = "node " + std::to_string(t.node_id());
  const auto head = (falsely ? "false sharing: page " : "true sharing: page ") +
                    std::to_string(report.page) + ", " + std::to_string(report.collisions) +
                    " collisions of ";
  if (!falsely) {
    return head + who + " with " + others_in(report.others) + " over " +
           names(t, report, [](const Object& o) { return o.ours && o.theirs; });
  }
  return head + who + ", which uses " + names(t, report, [](const Object& o) { return o.ours; }) +
         ", with " + others_in(report.others) + ", which wrote " +
         names(t, report, [](const Object& o) { return o.theirs; });
}

Json objects_of(Transaction& t, const gc::SharingReport& report) {
  auto objects = Json::array();
  for (const auto& object : report.objects) {
    objects.push_back({{"object", object.body},
                       {"type", type_name_at(t, object.type)},
                       {"ours", object.ours},
                       {"written", object.written},
                       {"theirs", object.theirs},
                       {"moved_to", object.moved_to}});
  }
  return objects;
}

}  // namespace

Json sharing_line(Transaction& t, const gc::SharingReport& report) {
  return {{"event", "sharing"},
          {"words", words_for(t, report)},
          {"node", t.node_id()},
          {"page", report.page},
          {"sharing", report.sharing == gc::Sharing::kFalse ? "false" : "true"},
          {"collisions", report.collisions},
          {"others", numbers_in(report.others)},
          {"objects", objects_of(t, report)}};
}

}  // namespace plurix::tool

// What the monitor of false sharing has found, as a sentence and as JSON: both name the objects.
#pragma once

#include <plurix/gc/false_sharing_monitor.h>

#include <nlohmann/json.hpp>

namespace plurix::tool {

/// "event", "words", "node", "page", "sharing", "collisions", "others", "objects". Reads the names
/// of the objects' types.
nlohmann::ordered_json sharing_line(Transaction& t, const gc::SharingReport& report);

}  // namespace plurix::tool

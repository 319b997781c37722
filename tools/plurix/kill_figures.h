// KillFigures: how long a cluster took to notice what was done to it and to be back, by kind of
// deed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plurix::tool {

/// Milliseconds of one kind of deed.
class Times {
 public:
  void add(double ms) { ms_.push_back(ms); }
  std::size_t count() const noexcept { return ms_.size(); }
  double median() const { return at(0.5); }
  double most() const { return at(1.0); }

  nlohmann::ordered_json to_json() const {
    return {{"count", count()}, {"median_ms", median()}, {"p90_ms", at(0.9)}, {"max_ms", most()}};
  }

 private:
  double at(double part) const {
    if (ms_.empty()) return 0;
    auto sorted = ms_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
  }
  std::vector<double> ms_;
};

struct KillFigures {
  struct Row {
    std::uint64_t count = 0;
    std::uint64_t undone = 0;  ///< times that commits were undone
    Times noticed;             ///< by the PageServer
    Times back;                ///< the survivors transact again; of all: everybody is started again
  };
  std::map<std::string, Row> rows;

  std::string words() const {
    std::string text =
        "                              noticed (ms)    back (ms)        undone\n"
        "                       times  median  most   median    most\n";
    for (const auto& [name, row] : rows) {
      char line[160];
      std::snprintf(line, sizeof line, "  %-20s %5llu %7.0f %5.0f %8.0f %7.0f %9llu\n",
                    name.c_str(), static_cast<unsigned long long>(row.count), row.noticed.median(),
                    row.noticed.most(), row.back.median(), row.back.most(),
                    static_cast<unsigned long long>(row.undone));
      text += line;
    }
    return text;
  }

  nlohmann::ordered_json to_json() const {
    auto json = nlohmann::ordered_json::object();
    for (const auto& [name, row] : rows) {
      json[name] = {{"count", row.count}, {"undone", row.undone}};
      if (row.noticed.count() > 0) json[name]["noticed"] = row.noticed.to_json();
      json[name]["back"] = row.back.to_json();
    }
    return json;
  }
};

}  // namespace plurix::tool

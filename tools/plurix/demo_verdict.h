// What came out of a demo: what the nodes told, what the heap shows, what the history proves.
#pragma once

#include <plurix/history/check_all.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "child_node.h"
#include "demo.h"
#include "merge_histories.h"

namespace plurix::tool {

struct DemoResult {
  double seconds = 0;
  nlohmann::json verified;  ///< the answer to `verify` (control.h)
  std::vector<NodeStatus> statuses;
  std::vector<HistoryPart> history_parts;
  std::vector<std::string> trace_parts;

  /// Reads and checks the histories, and writes the files that were asked for. Throws
  /// std::runtime_error.
  void judge(const DemoSettings& settings);

  std::string words() const;
  std::string to_json(const DemoSettings& settings) const;
  int exit_code() const;

 private:
  NodeStatus total() const;
  void judge_invariant();
  void write_history(const std::string& path, const history::History& merged) const;

  bool invariant_ = false;
  std::string invariant_words_;
  history::Report report_;
  std::optional<std::uint64_t> up_to_;
};

}  // namespace plurix::tool

// What came out of a demo, in words and for machines.
#pragma once

#include <string>

#include "demo.h"
#include "run_verdict.h"

namespace plurix::tool {

struct DemoResult {
  double seconds = 0;
  RunRecord record;
  RunVerdict verdict;
  nlohmann::json sharing;      ///< what the nodes' monitors have found, in order
  nlohmann::json hub = {};     ///< what it counted, if there was one
  nlohmann::json killed = {};  ///< which machine was, and what became of the others

  std::string words() const;
  std::string to_json(const DemoSettings& settings) const;
  int exit_code() const;
};

}  // namespace plurix::tool

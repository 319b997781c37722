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

  std::string words() const;
  std::string to_json(const DemoSettings& settings) const;
  int exit_code() const;
};

}  // namespace plurix::tool

// What this machine allows, found out by trying: the rows behind `plurix doctor`.
#pragma once

#include <plurix/base/page.h>

#include <string>
#include <vector>

namespace plurix::posix {

struct Probe {
  std::string name;        ///< "userfaultfd"
  bool ok = false;         ///< a node works at its best with what was found
  std::string found;       ///< what was found, with its unit
  std::string why;         ///< why it matters
  std::string what_to_do;  ///< what would help; empty when ok
};

/// Tries everything once; takes some milliseconds, leaves nothing behind. Ordinary context.
std::vector<Probe> probe_environment(const HeapGeometry& geometry = {});

}  // namespace plurix::posix

// HubProcess: a hub (plurix hub) in a process of its own, for a cluster on one segment.
#pragma once

#include <string>
#include <vector>

#include "child_node.h"

namespace plurix::tool {

class HubProcess {
 public:
  /// Starts it with these further arguments and waits until it listens at `path`. Throws
  /// FleetFailure.
  HubProcess(const std::string& path, const std::vector<std::string>& arguments);

  const std::string& path() const noexcept { return path_; }

  /// What it has done so far, by name. Throws FleetFailure.
  nlohmann::json counters();

 private:
  nlohmann::json await(std::string_view event);

  std::string path_;
  ChildNode process_;
};

}  // namespace plurix::tool

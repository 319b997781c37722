// DemoDisplay: a live line per node. In place on a terminal, a block of plain lines each second
// elsewhere. It goes to stderr when stdout is for machines.
#pragma once

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "child_node.h"

namespace plurix::tool {

class DemoDisplay {
 public:
  DemoDisplay(std::size_t nodes, bool stdout_is_for_machines);

  /// A sentence above the live lines.
  void say(const std::string& sentence);

  /// Shows the nodes as they are now, if it is time to.
  void update(const std::vector<std::unique_ptr<ChildNode>>& children);

  /// The last state, for good.
  void finish(const std::vector<std::unique_ptr<ChildNode>>& children);

 private:
  struct Shown {
    NodeStatus before;
    NodeStatus now;
  };

  void show(const std::vector<std::unique_ptr<ChildNode>>& children);
  std::string line_for(const ChildNode& child, const Shown& shown) const;
  std::string strong(const std::string& text) const;

  std::FILE* out_;
  bool in_place_;
  std::vector<Shown> shown_;
  std::size_t lines_up_ = 0;
  std::chrono::steady_clock::time_point next_{};
};

/// "1,234,567"
std::string with_separators(std::uint64_t number);

}  // namespace plurix::tool

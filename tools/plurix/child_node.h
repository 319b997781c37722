// ChildNode: a node in a process of its own, started by another and led by lines (control.h).
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control.h"
#include "net_faults.h"

namespace plurix::tool {

/// What a node last told about itself.
struct NodeStatus {
  std::int64_t ns = 0;
  std::uint64_t committed = 0;
  std::uint64_t read_only = 0;
  std::uint64_t aborted = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t unknown = 0;
  std::uint64_t effects = 0;
  std::uint64_t page_fetches = 0;
  std::uint64_t commit_time = 0;
  std::uint64_t most_restarts = 0;
  std::uint64_t dropped = 0;
  sim::FaultCounters net_faults;
  nlohmann::json protocol;  ///< all counters (counters_json.h), at the end only
};

class ChildNode {
 public:
  /// Starts `plurix node ARGUMENTS` with the program of this process. It is killed when this
  /// process ends, however that happens. Throws std::system_error.
  /// Its stderr goes to the end of the file `log`, or to ours if that has no name.
  ChildNode(std::size_t index, const std::vector<std::string>& arguments,
            const std::string& log = {});

  /// Kills the process if it is still there.
  ~ChildNode();
  ChildNode(const ChildNode&) = delete;
  ChildNode& operator=(const ChildNode&) = delete;

  void send(std::string_view command);

  /// Takes in what the node has said. Readable: `fd()`.
  void look();
  int fd() const noexcept { return out_; }

  /// The answer `event`, if it has come; a second call finds the next one.
  std::optional<nlohmann::json> take(std::string_view event);

  /// How the process ended, in words; empty while it runs.
  const std::string& end() const noexcept { return end_; }
  /// Its exit code, or -1 while it runs or after a signal.
  int exit_code() const noexcept { return exit_code_; }

  std::size_t index() const noexcept { return index_; }
  pid_t pid() const noexcept { return pid_; }
  const NodeStatus& status() const noexcept { return status_; }

 private:
  void start(const std::vector<std::string>& arguments, const std::string& log);
  void reap();

  const std::size_t index_;
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::optional<LineInput> lines_;
  std::vector<nlohmann::json> events_;
  NodeStatus status_;
  std::string end_;
  int exit_code_ = -1;
};

}  // namespace plurix::tool

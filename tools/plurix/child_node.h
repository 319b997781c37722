// ChildNode: a node in a process of its own, started by another and led by lines (control.h): a
// `plurix node`, or a QEMU machine with one in it.
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
  nlohmann::json images;    ///< of a PageServer: what it has stored (page_server_host.h)
};

/// What to start.
struct Program {
  std::vector<std::string> words;  ///< the file, by path or to be looked for in PATH, and arguments
  int done = 0;                    ///< the exit code of a good end

  /// `plurix COMMAND ARGUMENTS`, with the program of this process.
  static Program plurix(const std::string& command, const std::vector<std::string>& arguments);
};

class ChildNode {
 public:
  /// Starts the program. It is killed when this process ends, however that happens. Throws
  /// std::system_error.
  /// Its stderr goes to the end of the file `log`, or to ours if that has no name.
  ChildNode(std::size_t index, const Program& program, const std::string& log = {});

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
  /// Whether that was a good end.
  bool ended_well() const noexcept { return ended_well_; }

  std::size_t index() const noexcept { return index_; }
  pid_t pid() const noexcept { return pid_; }
  const NodeStatus& status() const noexcept { return status_; }

 private:
  void start(const Program& program, const std::string& log);
  void take_in(nlohmann::json event);
  void tell_time(const nlohmann::json& question);
  void reap();

  const std::size_t index_;
  const int done_;
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::optional<LineInput> lines_;
  std::vector<nlohmann::json> events_;
  NodeStatus status_;
  std::string end_;
  bool ended_well_ = false;
};

}  // namespace plurix::tool

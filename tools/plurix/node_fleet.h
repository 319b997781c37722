// NodeFleet: the processes of one cluster, led by lines (control.h). A process that ends before its
// time, or says that it cannot go on, is a failure wherever the fleet is looked at.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "child_node.h"
#include "qemu_machine.h"

namespace plurix::tool {

/// Ends the work of a fleet; `code` is the exit code of the command.
struct FleetFailure {
  int code;
  std::string words;
};

class NodeFleet {
 public:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  /// How a node is started, beside control, cluster, address and founder.
  struct Place {
    std::vector<std::string> arguments;       ///< of `plurix node`, or words for a machine's kernel
    std::string log;                          ///< takes the node's stderr; empty: it goes to ours
    std::optional<QemuMachine> machine = {};  ///< the node runs there
  };

  /// `patience`: how long an answer may take. `segment`: what nodes are given as --segment; empty:
  /// they talk UDP.
  explicit NodeFleet(std::string cluster, milliseconds patience = milliseconds(60'000),
                     std::string segment = {})
      : cluster_(std::move(cluster)), patience_(patience), segment_(std::move(segment)) {}

  /// Starts one node for each element, the first as founder, and waits until all are members.
  void start(const std::vector<Place>& places);

  /// Kills a node at once, without any farewell, starts another in its place and waits until that
  /// is a member.
  void replace(std::size_t index, const Place& place);

  /// Where the nodes are reached, the founder first.
  const std::vector<std::string>& addresses() const noexcept { return addresses_; }

  /// What the node said when it was ready, in its present life.
  const nlohmann::json& ready(std::size_t index) const { return ready_.at(index); }

  /// What they run on: "sigsegv/io_uring".
  const std::vector<std::string>& kinds() const noexcept { return kinds_; }
  const std::vector<std::unique_ptr<ChildNode>>& nodes() const noexcept { return nodes_; }
  ChildNode& first() noexcept { return *nodes_.front(); }
  bool empty() const noexcept { return nodes_.empty(); }

  /// The answer `event` of that node. Throws FleetFailure when it does not come.
  nlohmann::json await(ChildNode& node, std::string_view event);
  nlohmann::json ask(ChildNode& node, std::string_view command, std::string_view answer);

  /// Says it to all, and awaits the answer of each.
  void ask_all(std::string_view command, std::string_view answer);

  /// Waits for news and makes sure that everybody is well. Throws FleetFailure if not, or when
  /// Ctrl-C came.
  void look_around(milliseconds at_most);

  /// Takes in what the nodes say, whatever it is.
  void wait_for_news(milliseconds at_most);

  /// Ends them one after the other: each hands what it owns to those that are still there. Returns
  /// what went wrong, a sentence each.
  std::vector<std::string> let_go();

  /// "node 2 (process 4711)"
  static std::string name_of(const ChildNode& node);

 private:
  nlohmann::json await(ChildNode& node, std::string_view event, milliseconds patience);
  void await_ready(ChildNode& node);
  const nlohmann::json& note_ready(ChildNode& node);
  Program program_for(const Place& place, bool founds) const;
  std::vector<std::string> network_arguments(bool founds) const;

  const std::string cluster_;
  const milliseconds patience_;
  const std::string segment_;
  std::vector<std::string> addresses_;
  std::vector<std::string> kinds_;
  std::vector<nlohmann::json> ready_;
  std::vector<std::unique_ptr<ChildNode>> nodes_;
};

}  // namespace plurix::tool

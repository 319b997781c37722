// StoredCluster: a PageServer with its store, and nodes, each a process that can be killed and
// started again at any time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "child_node.h"
#include "node_fleet.h"

namespace plurix::tool {

class StoredCluster {
 public:
  using Child = std::unique_ptr<ChildNode>;

  struct Settings {
    std::string name;                    ///< of the cluster
    std::string store;                   ///< directory of the PageServer
    std::vector<std::string> arguments;  ///< of every `plurix node`
    std::string image_seconds = "0.2";
    std::string logs;     ///< their stderr goes to files of this name and their index; or to ours
    std::string records;  ///< what they record is kept in such files (workloads/record.h)
  };

  explicit StoredCluster(Settings settings) : settings_(std::move(settings)) {}

  /// Seconds of the clock that nodes tell times of.
  static double now();

  /// All of these throw FleetFailure when an answer does not come, or Ctrl-C did.
  void start_server();
  void start_node(std::size_t index);  ///< 1 to so many
  void start_all(std::size_t nodes);

  /// Sends SIGKILL and waits until the process is gone.
  void kill_server();
  void kill_node(std::size_t index);

  ChildNode& server() { return *server_; }
  ChildNode& node(std::size_t index) { return *nodes_.at(index - 1); }
  bool is_there(std::size_t index) const { return nodes_.at(index - 1) != nullptr; }
  std::size_t nodes() const noexcept { return nodes_.size(); }

  nlohmann::json await(ChildNode& node, std::string_view event);
  nlohmann::json ask(ChildNode& node, std::string_view command, std::string_view answer);
  void tell_all(std::string_view command);
  void ask_all(std::string_view command, std::string_view answer);

  /// Stops the work of all nodes and lets them and the PageServer collect what is garbage then: so
  /// that whatever is left behind it has leaked.
  void rest();

  /// Takes in what the processes say, for so long.
  void work(double seconds);

  /// Forgets what nodes have said of epochs.
  void forget_epochs();

  /// How nodes that were not restarted came to work in a common new epoch.
  struct Return {
    double noticed = 0;  ///< by the PageServer; 0: it was not there to notice
    double worked = 0;   ///< the last of them
    std::uint64_t start = 0;
    bool undone = false;  ///< commits were
  };
  /// When the PageServer first noticed something since then; 0: it has not, or is not there.
  double noticed(double since);

  Return await_return(const std::vector<std::size_t>& survivors, double since);

  /// Files of records, of all lives of all processes so far.
  const std::vector<std::string>& record_files() const noexcept { return record_files_; }

  /// Where every process stands, a line each.
  std::string states();

 private:
  std::vector<std::string> words_for(bool server, const std::string& address);
  Child start(std::size_t index, const std::string& address);
  static void kill(Child& child);
  void look(int milliseconds);

  const Settings settings_;
  std::string server_address_;
  Child server_;
  std::vector<Child> nodes_;
  double noticed_ = 0;
  std::map<std::size_t, std::uint64_t> undone_;  ///< rollbacks and expulsions of each node
  std::vector<std::string> record_files_;
};

}  // namespace plurix::tool

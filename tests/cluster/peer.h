// Peer: another node of the cluster, in a thread of this process, with software checks so that it
// needs no address range of its own. It serves until it is told to do something.
#pragma once

#include <plurix/posix/node.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace plurix::testing {

class Peer {
 public:
  /// Joins through `seed`, or founds a cluster when that is empty.
  explicit Peer(const std::string& seed = {}) : thread_([this, seed] { live(seed); }) {
    while (!ready_) std::this_thread::yield();
  }
  ~Peer() { leave(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Lets the peer do this; `wait` makes sure that it is done.
  void start(std::function<void(posix::Node&)> task) {
    wait();
    task_ = std::move(task);
    has_task_ = true;
  }
  void wait() const {
    while (has_task_) std::this_thread::yield();
  }
  void run(std::function<void(posix::Node&)> task) {
    start(std::move(task));
    wait();
  }

  void leave() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }

  const std::string& address() const { return address_; }

  static posix::NodeOptions options(const std::string& seed) {
    posix::NodeOptions options;
    options.cluster = "hosted-node-test";
    options.bind = "127.0.0.1:0";
    options.heap_bytes = std::uint64_t{1} << 20;
    options.collect = false;  // tests count transactions
    options.found = seed.empty() ? posix::Founding::kAlways : posix::Founding::kNever;
    if (!seed.empty()) options.seeds = {seed};
    return options;
  }

 private:
  void live(const std::string& seed) {
    auto settings = options(seed);
    settings.fault_source = posix::FaultSourceKind::kSoftware;
    posix::Node node(settings);
    address_ = node.address();
    ready_ = true;
    while (!over_) {
      if (has_task_) {
        task_(node);
        has_task_ = false;
      }
      node.serve(node.now() + microseconds(200));
    }
  }

  std::string address_;
  std::function<void(posix::Node&)> task_;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> has_task_ = false;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace plurix::testing

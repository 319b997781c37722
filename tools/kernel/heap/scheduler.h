// Scheduler: runs tasks one after the other, each to its end (cooperative). A task is called when
// its time has come, does little, and returns; what it does in the heap are transactions of its
// own. When nothing is due the node serves the others, which lets the processor sleep.
#pragma once

#include <plurix/base/bounded_vector.h>

#include <algorithm>
#include <string_view>

#include "heap/node.h"

namespace plurix::kernel {

struct Task {
  std::string_view name;
  Duration period;  ///< between two calls; 0: whenever there is time
  void (*call)(void* context) noexcept = nullptr;
  void* context = nullptr;
  bool asleep = false;  ///< not called

  Instant due;
  std::uint64_t runs = 0;
  Duration used;
};

class Scheduler {
 public:
  static constexpr std::size_t kMostTasks = 8;

  explicit Scheduler(Node& node) noexcept : node_(node) {}

  /// The task stays where it is, to be woken and put to sleep by its owner.
  Task& add(const Task& task) noexcept {
    PLURIX_ASSERT(tasks_.push(task));
    return tasks_[tasks_.size() - 1];
  }

  /// Calls what is due, each task once, or waits for the next.
  void run_once() noexcept {
    bool ran = false;
    for (auto& task : tasks_) ran = run(task) || ran;
    if (!ran) node_.serve(next_due());
  }

  const BoundedVector<Task, kMostTasks>& tasks() const noexcept { return tasks_; }

 private:
  bool run(Task& task) noexcept {
    const auto begin = node_.now();
    if (task.asleep || task.due > begin) return false;
    task.call(task.context);
    const auto end = node_.now();
    ++task.runs;
    task.used.ns += (end - begin).ns;
    task.due = end + task.period;
    return true;
  }

  Instant next_due() const noexcept {
    auto next = kNever;
    for (const auto& task : tasks_) {
      if (!task.asleep) next = std::min(next, task.due);
    }
    return next;
  }

  Node& node_;
  BoundedVector<Task, kMostTasks> tasks_;
};

}  // namespace plurix::kernel

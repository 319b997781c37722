// Checker for DESIGN P7: what a node has been told to be durable is never undone.
#pragma once

#include <plurix/dsm/core_context.h>

namespace plurix::sim {

class DurableCommitsChecker {
 public:
  /// A node of the newest epoch has done something.
  void learn(const CoreContext& node) noexcept {
    if (durable_ < node.durable) durable_ = node.durable;
  }

  /// Epoch `epoch` begins from `start`. Throws Violation.
  void check_start(Epoch epoch, CommitTime start) const;

  CommitTime durable() const noexcept { return durable_; }

 private:
  CommitTime durable_;
};

}  // namespace plurix::sim

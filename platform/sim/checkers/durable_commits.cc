#include <plurix/sim/checkers/durable_commits.h>

#include <plurix/sim/checkers/violation.h>

#include <string>

namespace plurix::sim {

void DurableCommitsChecker::check_start(Epoch epoch, CommitTime start) const {
  if (start >= durable_) return;
  throw Violation("P7: epoch " + std::to_string(epoch) + " begins from commit time " +
                  std::to_string(start.value) + ", and commits up to " +
                  std::to_string(durable_.value) + " were said to be durable");
}

}  // namespace plurix::sim

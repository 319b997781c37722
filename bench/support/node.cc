#include "support/node.h"

#include <unistd.h>

namespace plurix::bench {

std::string fresh_cluster() {
  static int number = 0;
  return "bench-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
}

posix::NodeOptions node_options(const std::string& cluster, bool founds,
                                posix::FaultSourceKind source) {
  posix::NodeOptions options;
  options.cluster = cluster;
  options.found = founds ? posix::Founding::kAlways : posix::Founding::kNever;
  options.fault_source = source;
  options.collect = false;              // benchmarks of the collector make its steps themselves
  options.leave_timeout = Duration{0};  // the whole cluster goes at once
  return options;
}

std::vector<posix::FaultSourceKind> fault_sources() {
  using posix::FaultSourceKind;
  if (!posix::UffdFaultSource::why_unavailable().empty()) return {FaultSourceKind::kSigsegv};
  return {FaultSourceKind::kUserfaultfd, FaultSourceKind::kSigsegv};
}

}  // namespace plurix::bench

// What every checker throws.
#pragma once

#include <plurix/base/types.h>

#include <stdexcept>
#include <string>

namespace plurix::sim {

/// An invariant of the system does not hold; `what()` begins with the invariant's name (T1, P2, …,
/// or "progress", "memory") and says in words which node, page and commit time show it.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline std::string name_of(NodeId node) { return "node " + std::to_string(node); }
inline std::string to_string(CommitTime time) { return std::to_string(time.value); }

}  // namespace plurix::sim

// Long work is cut into transactions that are short enough for a write set, and between which the
// others get their turn.
#pragma once

#include <algorithm>

#include "heap/node.h"

namespace plurix::kernel {

/// Calls `body(t, first, last)` for ranges that together are [0, count), each a transaction of its
/// own. Ends early, and says how, when one does not commit: what is before it has happened then.
template <class F>
Status in_parts(Node& node, std::uint64_t count, std::uint64_t most_at_once, F body) {
  for (std::uint64_t first = 0; first < count; first += most_at_once) {
    const auto last = std::min(count, first + most_at_once);
    const auto outcome = node.try_run([&](Transaction& t) { body(t, first, last); });
    if (!outcome.committed()) return outcome.status;
  }
  return Status::kCommitted;
}

}  // namespace plurix::kernel

// What the nodes of a cluster recorded, each for itself, as one history.
#pragma once

#include <plurix/history/attempt.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plurix::tool {

struct HistoryPart {
  std::string path;
  bool full = false;  ///< the node went on after it had stopped recording
};

struct MergedHistory {
  history::History history;
  /// Set when a node had stopped recording: what is here is the past of this commit time.
  std::optional<std::uint64_t> up_to;
  std::string error;  ///< a part could not be read
};

/// When a part is full, everything that may have seen an unrecorded commit is left out, so that
/// what remains is a whole history, only shorter.
MergedHistory merge_histories(const std::vector<HistoryPart>& parts);

}  // namespace plurix::tool

#include "merge_histories.h"

#include <plurix/history/json_lines.h>

#include <algorithm>
#include <limits>

namespace plurix::tool {
namespace {

using history::Attempt;
using history::Status;

struct Cut {
  std::uint64_t commit_time = std::numeric_limits<std::uint64_t>::max();
  std::int64_t ns = std::numeric_limits<std::int64_t>::max();
};

bool is_committed(const Attempt& attempt) { return attempt.status == Status::kCommitted; }

// Commit times of one node grow, so up to its last recorded one nothing of it is missing. Whatever
// it did later began after its last recorded attempt ended.
void cut_after(const std::vector<Attempt>& recorded, Cut& cut) {
  std::uint64_t last_commit = 0;
  std::int64_t last_ns = std::numeric_limits<std::int64_t>::min();
  for (const auto& attempt : recorded) {
    if (is_committed(attempt)) last_commit = std::max(last_commit, attempt.commit_time);
    last_ns = std::max(last_ns, attempt.end_ns);
  }
  cut.commit_time = std::min(cut.commit_time, last_commit);
  cut.ns = std::min(cut.ns, last_ns);
}

// An attempt without a commit time may have seen a commit that is cut off only if it ended after
// that commit began.
bool keeps(const Attempt& attempt, const Cut& cut) {
  if (is_committed(attempt)) return attempt.commit_time <= cut.commit_time;
  return attempt.end_ns <= cut.ns;
}

void apply(Cut cut, std::vector<Attempt>& attempts) {
  for (const auto& attempt : attempts) {
    if (is_committed(attempt) && attempt.commit_time > cut.commit_time) {
      cut.ns = std::min(cut.ns, attempt.begin_ns);
    }
  }
  std::erase_if(attempts, [&](const Attempt& attempt) { return !keeps(attempt, cut); });
}

}  // namespace

MergedHistory merge_histories(const std::vector<HistoryPart>& parts) {
  MergedHistory merged;
  Cut cut;
  bool cut_needed = false;
  for (const auto& part : parts) {
    auto read = history::read_history_file(part.path);
    if (!read.ok()) {
      merged.error = read.error;
      return merged;
    }
    auto& attempts = read.history.attempts;
    if (part.full) cut_after(attempts, cut);
    cut_needed = cut_needed || part.full;
    auto& all = merged.history.attempts;
    std::move(attempts.begin(), attempts.end(), std::back_inserter(all));
  }
  if (cut_needed) {
    apply(cut, merged.history.attempts);
    merged.up_to = cut.commit_time;
  }
  return merged;
}

}  // namespace plurix::tool

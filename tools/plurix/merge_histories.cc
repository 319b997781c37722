#include "merge_histories.h"

#include <plurix/history/json_lines.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace plurix::tool {
namespace {

using history::Attempt;
using history::Status;

/// A commit's place among all of them: times begin anew from where an epoch does.
using Place = std::pair<std::uint32_t, std::uint64_t>;

struct Cut {
  Place place = {std::numeric_limits<std::uint32_t>::max(),
                 std::numeric_limits<std::uint64_t>::max()};
  std::int64_t ns = std::numeric_limits<std::int64_t>::max();
};

bool is_committed(const Attempt& attempt) { return attempt.status == Status::kCommitted; }

Place place_of(const Attempt& attempt) { return {attempt.epoch, attempt.commit_time}; }

// Places of one node's commits grow, so up to its last recorded one nothing of it is missing.
// Whatever it did later began after its last recorded attempt ended.
void cut_after(const std::vector<Attempt>& recorded, Cut& cut) {
  Place last_commit;
  std::int64_t last_ns = std::numeric_limits<std::int64_t>::min();
  for (const auto& attempt : recorded) {
    if (is_committed(attempt)) last_commit = std::max(last_commit, place_of(attempt));
    last_ns = std::max(last_ns, attempt.end_ns);
  }
  cut.place = std::min(cut.place, last_commit);
  cut.ns = std::min(cut.ns, last_ns);
}

// An attempt without a commit time may have seen a commit that is cut off only if it ended after
// that commit began.
bool keeps(const Attempt& attempt, const Cut& cut) {
  if (is_committed(attempt)) return place_of(attempt) <= cut.place;
  return attempt.end_ns <= cut.ns;
}

void apply(Cut cut, std::vector<Attempt>& attempts) {
  for (const auto& attempt : attempts) {
    if (is_committed(attempt) && place_of(attempt) > cut.place) {
      cut.ns = std::min(cut.ns, attempt.begin_ns);
    }
  }
  std::erase_if(attempts, [&](const Attempt& attempt) { return !keeps(attempt, cut); });
}

/// Every node tells of the epochs it was in.
void add_rollbacks(const std::vector<history::Rollback>& told,
                   std::vector<history::Rollback>& all) {
  all.insert(all.end(), told.begin(), told.end());
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
    add_rollbacks(read.history.rollbacks, merged.history.rollbacks);
  }
  if (cut_needed) {
    apply(cut, merged.history.attempts);
    merged.up_to = cut.place.second;
  }
  return merged;
}

}  // namespace plurix::tool

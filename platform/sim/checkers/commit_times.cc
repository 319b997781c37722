#include <plurix/sim/checkers/commit_times.h>

#include <cstring>

namespace plurix::sim {

const CommittedRecord* CommitTimesChecker::learn(NodeId self, CommitTime time, Bytes record) {
  if (time <= newest()) {
    const auto& known = at(time);
    if (known.bytes.size() == record.size() &&
        std::memcmp(known.bytes.data(), record.data(), record.size()) == 0) {
      return nullptr;
    }
    throw Violation("P3: commit time " + to_string(time) + " is two different commits: " +
                    name_of(known.header.writer) + " made one, " + name_of(self) + " has another");
  }
  auto rest = record;
  wire::RecordView view;
  if (!wire::read_record(rest, pages_, view) || !rest.empty() || view.header.time != time) {
    throw Violation("P3: the record of commit time " + to_string(time) + " on " + name_of(self) +
                    " is malformed");
  }
  if (time != newest() + 1 || view.header.writer != self) {
    throw Violation("P3: " + name_of(self) + " applied commit time " + to_string(time) +
                    " before anybody made it; the newest is " + to_string(newest()));
  }
  records_.push_back({view.header, {record.begin(), record.end()}});
  return &records_.back();
}

void CommitTimesChecker::check_forward(NodeId self, CommitTime before, CommitTime now) const {
  if (now >= before) return;
  throw Violation("P3: " + name_of(self) + " went back from " + to_string(before) + " to " +
                  to_string(now));
}

std::vector<CommitTime> CommitTimesChecker::last_writes(CommitTime until) const {
  std::vector<CommitTime> last(pages_);
  for (const auto& record : std::span(records_).first(until.value)) {
    if (record.header.kind != wire::RecordKind::kWrite) continue;
    for (std::size_t i = 0; i < record.header.words; ++i) {
      last[record.word(i)] = record.end_of_commit();
    }
  }
  return last;
}

}  // namespace plurix::sim

#include <plurix/sim/checkers/whole_commits.h>

namespace plurix::sim {
namespace {

std::string words(const wire::RecordHeader& packet) {
  return "packet " + std::to_string(packet.index + 1) + " of " + std::to_string(packet.count) +
         " by " + name_of(packet.writer);
}

bool is_last(const wire::RecordHeader& packet) { return packet.index + 1u == packet.count; }

}  // namespace

void check_packets_follow(const CommittedRecord* previous, const CommittedRecord& next) {
  const bool begins = previous == nullptr || is_last(previous->header);
  const auto& header = next.header;
  const bool fits = begins ? header.index == 0
                           : header.index == previous->header.index + 1 &&
                                 header.count == previous->header.count &&
                                 header.writer == previous->header.writer &&
                                 header.kind == previous->header.kind;
  if (fits) return;
  throw Violation("P3: commit time " + to_string(header.time) + " is " + words(header) +
                  ", but before it stands " +
                  (begins ? "a whole commit" : words(previous->header)));
}

void check_whole_commits(const CommitTimesChecker& commits, const NodeState& node) {
  if (!node.in_service || node.applied == CommitTime{} || node.applied > commits.newest()) return;
  const auto& packet = commits.at(node.applied).header;
  if (is_last(packet)) return;
  throw Violation("P3: " + name_of(node.self) + " stands at commit time " +
                  to_string(node.applied) + ", inside a commit: that is " + words(packet));
}

}  // namespace plurix::sim

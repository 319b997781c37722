// P3: commit times are dense and unique, and every node has the same record for each of them.
//
// The checker is told of each record a node has applied. The first to have a record must be its
// writer, and its time the next one; everybody else must have the same bytes. So it also keeps the
// whole order of commits, which other checkers read.
#pragma once

#include <plurix/sim/checkers/violation.h>
#include <plurix/wire/messages.h>

#include <vector>

namespace plurix::sim {

struct CommittedRecord {
  wire::RecordHeader header;
  std::vector<std::byte> bytes;  ///< header and words, as on the wire

  std::uint32_t word(std::size_t i) const {
    return wire::element<std::uint32_t>(Bytes{bytes}.subspan(sizeof header), i);
  }
  /// The time at which the whole commit of this packet has happened.
  CommitTime end_of_commit() const { return header.time + (header.count - 1u - header.index); }
};

class CommitTimesChecker {
 public:
  /// `pages` of the heap bound what a record may name.
  explicit CommitTimesChecker(std::uint32_t pages) : pages_(pages) {}

  /// Node `self` has applied `record` as commit time `time`. Returns what was learned if nobody had
  /// it before, else null.
  const CommittedRecord* learn(NodeId self, CommitTime time, Bytes record);

  /// Node `self` had applied everything up to `before` and now up to `now`: never less.
  void check_forward(NodeId self, CommitTime before, CommitTime now) const;

  /// A new epoch began from `time`: what was committed after it is undone.
  void undo_after(CommitTime time) {
    if (time < newest()) records_.resize(time.value);
  }

  CommitTime newest() const { return {records_.size()}; }

  /// Of each page, which commit up to `until` was the last to write it; 0: none.
  std::vector<CommitTime> last_writes(CommitTime until) const;

  /// The record of `time`, which is at most `newest`.
  const CommittedRecord& at(CommitTime time) const { return records_[time.value - 1]; }

 private:
  std::uint32_t pages_;
  std::vector<CommittedRecord> records_;  ///< by commit time, from 1
};

}  // namespace plurix::sim

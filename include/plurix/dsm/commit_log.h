// The bounded log of applied commit packets, from which nodes that missed some are helped. Its end
// is an explicit event: a record that is gone is answered with LogExhausted, and the asker
// resynchronizes.
#pragma once

#include <plurix/dsm/arena.h>
#include <plurix/wire/messages.h>

namespace plurix {

class CommitLog {
 public:
  /// Both sizes are powers of two.
  CommitLog(std::uint32_t records, std::uint32_t words, Arena& arena) noexcept
      : records_(arena.take<Entry>(records)), words_(arena.take<std::uint32_t>(words)) {
    PLURIX_ASSERT((records & (records - 1)) == 0 && (words & (words - 1)) == 0);
  }

  /// Appends the record of the next commit time; the oldest ones make room. Times are dense: the
  /// first append after `restart_at` fixes the sequence.
  void append(const wire::RecordHeader& header, Bytes words) noexcept;

  /// Empties the log; the next append has time `applied` + 1.
  void restart_at(CommitTime applied) noexcept;

  bool has(CommitTime time) const noexcept;

  /// Writes record `time` as it stands on the wire into `room`; returns its bytes, 0 if it does not
  /// fit. The record is in the log.
  std::size_t copy(CommitTime time, std::span<std::byte> room) const noexcept;

  CommitTime newest() const noexcept { return newest_; }
  CommitTime oldest() const noexcept { return oldest_; }

 private:
  struct Entry {
    wire::RecordHeader header;
    std::uint64_t position = 0;  ///< of its first word; positions only grow
  };

  Entry& entry(CommitTime time) const noexcept {
    return records_[time.value & (records_.size() - 1)];
  }

  std::span<Entry> records_;
  std::span<std::uint32_t> words_;
  CommitTime oldest_{1};  ///< oldest_ == newest_ + 1 when empty
  CommitTime newest_;
  std::uint64_t position_ = 0;
};

}  // namespace plurix

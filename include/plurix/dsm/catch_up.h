// Knows how far this node is behind and gets it up to date: packets that arrive out of order wait
// here, missing ones are asked for, and when they are gone everywhere the node resynchronizes page
// by page (paper section 5.2, DESIGN P4).
//
// Two stages. *Catch-up* asks the node that showed a newer time for the records themselves; it
// starts a little late, because the missing notice is usually still under way. *Resynchronization*
// asks for the set of pages written since our time instead: it needs no log, only a member that has
// been present all the while.
#pragma once

#include <plurix/dsm/commit_log.h>
#include <plurix/dsm/core_context.h>

namespace plurix {

/// Commit packets that are not applied yet, by time. At its limit a packet is dropped; it will be
/// asked for again.
class PendingRecords {
 public:
  static constexpr std::size_t kWindow = 64;
  static_assert(kWindow >= 2 * wire::kMaxPackets);

  /// Keeps the record if it lies within the window behind `applied` and is not here yet.
  void put(const wire::RecordView& record, CommitTime applied) noexcept;

  /// The record of exactly `time`, or null.
  const wire::RecordView* find(CommitTime time) const noexcept;

  void clear() noexcept;

 private:
  struct Slot {
    wire::RecordView record;
    std::uint32_t words[wire::kMaxWords];
  };
  Slot slots_[kWindow];
};

class CatchUp {
 public:
  CatchUp(CoreContext& core, Arena& arena) noexcept
      : log(core.config.log_records, core.config.log_words, arena), core_(core) {}

  CommitLog log;

  /// Somebody's message shows commit time `time`; remembers whom to ask if we lack something.
  void note_time(NodeId from, CommitTime time) noexcept;

  /// Somebody unknown shows commit time `time`. Believed only as far as to ask the members, and not
  /// too often, whether there is more: a made-up time must not keep this node waiting for it.
  void on_rumour(CommitTime time) noexcept;

  /// Whether something newer than what is applied is known to exist.
  bool behind() const noexcept { return known_ > core_.applied; }
  CommitTime known() const noexcept { return known_; }

  void put(const wire::RecordView& record) noexcept;

  /// The whole commit that follows `applied`, if all its packets are here: its number of packets,
  /// else 0.
  std::uint16_t next_commit() const noexcept;
  const wire::RecordView& pending(CommitTime time) const noexcept;

  /// Sends the records `from` … `to` (as far as one answer reaches) to a node that lacks them.
  void help(NodeId node, CommitTime from, CommitTime to) noexcept;

  void on_catch_up_request(NodeId from, const wire::CatchUpRequest& request) noexcept;

  /// True if the answer concerns what we lack: the caller starts a resynchronization.
  bool on_log_exhausted(const wire::LogExhausted& answer) noexcept;

  /// Records that we asked for have been applied: asks for the next ones at once.
  void on_progress() noexcept;

  void on_timer() noexcept;
  Instant deadline() const noexcept { return behind() && !core_.resyncing ? next_ask_ : kNever; }

  /// Starts over at `applied` with an empty log: after joining or resynchronizing.
  void restart_at(CommitTime applied) noexcept;

  /// A new epoch began from `start`, and `source` has everything up to it. What was told of later
  /// commits of older epochs is void.
  void enter_epoch(CommitTime start, NodeId source) noexcept;

  /// Whom to ask: the node that showed the newest time.
  NodeId newest_from() const noexcept { return newest_from_; }
  void ask_another(NodeId node) noexcept { newest_from_ = node; }

 private:
  static constexpr int kFramesPerAnswer = 16;
  static constexpr std::uint64_t kRecordsPerQuestion = 512;

  void ask() noexcept;

  CoreContext& core_;
  PendingRecords pending_;
  CommitTime known_;
  NodeId newest_from_ = kNoNode;
  Instant next_ask_ = kNever;
  Instant next_rumour_{0};  ///< earlier ones are not followed up
  CommitTime asked_to_;     ///< the last record of the newest question
  unsigned tries_ = 0;
};

}  // namespace plurix

// Recorder: what every attempt of every transaction of one node has read and written, aborted ones
// included, in memory that outlives an abort. `history/` judges it, docs/history.md has the format.
//
// Inside a body only plain arrays are filled, an entry before its count: the machine may leave a
// doomed body between any two instructions and never come back, and must find nothing half done.
// What was noted there is filed when the transaction is over.
#pragma once

#include <plurix/dsm/core_context.h>
#include <plurix/history/attempt.h>
#include <plurix/outcome.h>
#include <plurix/transaction.h>

#include <string>

#include "workloads/record.h"

namespace plurix::workloads {

struct RecorderCounts {
  std::uint64_t committed = 0;  ///< updates and readers
  std::uint64_t read_only = 0;
  std::uint64_t aborted = 0;  ///< attempts
  std::uint64_t cancelled = 0;
  std::uint64_t unknown = 0;
  std::uint64_t effects = 0;  ///< what committed transactions say they changed; see add_effects
};

class Recorder {
 public:
  using KeyName = Record::KeyName;

  /// `file`: where the record outlives the process; empty: nowhere. Throws std::system_error.
  Recorder(std::uint32_t incarnation, const RecordLimits& limits, KeyName name_key,
           const std::string& file = {})
      : name_key_(name_key), record_(limits, incarnation, file), notes_(record_.head().notes) {}

  /// Runs `body(Transaction&, Notes&)` as a transaction and files its attempts.
  template <class Node, class Body>
  auto update(Node& node, Body body) {
    begin(node);
    auto outcome = node.try_run([&](Transaction& t) {
      begin_attempt(node);
      return body(t, notes_);
    });
    const bool wrote = notes_.last_attempt_wrote();
    file(node, outcome, Kind{.read_only = !wrote, .strict = false});
    return outcome;
  }

  /// The same for one that only reads.
  template <class Node, class Body>
  auto read(Node& node, Freshness freshness, Body body) {
    begin(node);
    auto outcome = node.read_only(freshness, [&](Transaction& t) {
      begin_attempt(node);
      return body(t, notes_);
    });
    file(node, outcome, Kind{.read_only = true, .strict = freshness == Freshness::kLatest});
    return outcome;
  }

  /// A committed transaction has changed so many things that the workload counts at the end.
  void add_effects(std::uint64_t count) noexcept { counts_.effects += count; }

  std::uint32_t incarnation() const noexcept { return record_.head().incarnation; }
  const RecorderCounts& counts() const noexcept { return counts_; }
  std::size_t filed() const noexcept { return record_.head().attempts; }

  /// An epoch has begun.
  void add_rollback(const history::Rollback& rollback) { record_.add_rollback(rollback); }
  auto rollbacks() const noexcept { return record_.rollbacks(); }

  /// To be filled in by the network before a commit's record leaves.
  SentCommit& sent() noexcept { return record_.head().sent; }

  /// Notes of which updates this node has been told that nothing can undo them any more.
  void note_durable(const CoreContext& core) noexcept {
    for (const auto attempts = record_.attempts(); first_pending_ < attempts.size();
         ++first_pending_) {
      auto& filed = attempts[first_pending_];
      if (filed.status != history::Status::kCommitted || filed.read_only) continue;
      const auto undone = core.undone.was({filed.commit_time}, filed.epoch);
      if (undone != Undone::Answer::kNo) continue;
      if (core.durable < CommitTime{filed.commit_time}) return;
      filed.durable = true;
    }
  }

  /// A limit was reached: what came later is counted and not filed.
  bool full() const noexcept { return record_.head().full; }

  /// Calls `each(history::Attempt)` for all that was filed, in order.
  template <class Each>
  void for_each(Each each) const {
    record_.for_each(name_key_, each);
  }

 private:
  struct Kind {
    bool read_only;
    bool strict;
  };

  template <class Node>
  void begin(const Node& node) noexcept {
    notes_.clear();
    record_.head().now = {++tx_, node.commit_time().value, true};
  }

  template <class Node>
  void begin_attempt(const Node& node) noexcept {
    record_.head().now.applied = node.commit_time().value;
    notes_.begin_attempt(node.now().ns, node.protocol().core().epoch, node.id());
  }

  static history::Status to_history(Status status) noexcept {
    switch (status) {
      case Status::kCommitted:
        return history::Status::kCommitted;
      case Status::kUnknown:
        return history::Status::kUnknown;
      default:
        return history::Status::kCancelled;
    }
  }

  template <class Node, class R>
  void file(const Node& node, const Outcome<R>& outcome, Kind kind) {
    const auto end_ns = node.now().ns;
    count(outcome.status, outcome.restarts, kind);
    if (wants_more()) file_attempts(outcome, kind, end_ns);
    record_.head().now.running = false;
  }

  bool wants_more() noexcept {
    auto& full = record_.head().full;
    if (record_.head().limits.attempts == 0 || full) return false;
    full = !record_.has_room_for(notes_.attempts().size(), notes_.operations().size(),
                                 notes_.list_values().size());
    return !full;
  }

  template <class R>
  void file_attempts(const Outcome<R>& outcome, Kind kind, std::int64_t end_ns) {
    const auto first = record_.head().operations;
    for (const auto& operation : notes_.operations()) record_.add_operation(operation);
    record_.add_list_values(notes_.list_values());
    const auto noted = notes_.attempts();
    for (std::size_t i = 0; i < noted.size(); ++i) {
      const bool last = i + 1 == noted.size();
      const bool committed = last && outcome.committed();
      record_.add_attempt({.tx = tx_,
                           .begin_ns = noted[i].begin_ns,
                           .end_ns = last ? end_ns : noted[i + 1].begin_ns,
                           .commit_time = committed ? outcome.commit_time.value : 0,
                           .first = first + noted[i].first,
                           .count = noted[i].count,
                           .attempt = noted[i].number,
                           .epoch = committed ? outcome.epoch : noted[i].epoch,
                           .node = static_cast<NodeId>(noted[i].node),
                           .status = last ? to_history(outcome.status) : history::Status::kAborted,
                           .read_only = committed && kind.read_only,
                           .strict = committed && kind.strict,
                           .durable = false});
    }
  }

  void count(Status status, std::uint32_t restarts, Kind kind) noexcept {
    counts_.aborted += restarts;
    switch (status) {
      case Status::kCommitted:
        ++counts_.committed;
        if (kind.read_only) ++counts_.read_only;
        break;
      case Status::kUnknown:
        ++counts_.unknown;
        break;
      default:
        ++counts_.cancelled;
        break;
    }
  }

  const KeyName name_key_;
  Record record_;
  Notes& notes_;
  std::size_t first_pending_ = 0;  ///< attempts before it are durable, undone, or no updates
  RecorderCounts counts_;
  std::uint64_t tx_ = 0;
};

}  // namespace plurix::workloads

// Recorder: what every attempt of every transaction of one node has read and written, aborted ones
// included, in memory that outlives an abort. `history/` judges it, docs/history.md has the format.
//
// Inside a body only plain arrays are filled, an entry before its count: the machine may leave a
// doomed body between any two instructions and never come back, and must find nothing half done.
// What was noted there is filed when the transaction is over.
#pragma once

#include <plurix/base/assert.h>
#include <plurix/dsm/core_context.h>
#include <plurix/history/attempt.h>
#include <plurix/outcome.h>
#include <plurix/transaction.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "workloads/notes.h"

namespace plurix::workloads {

/// What is filed at most; beyond it only counts go on. No attempts: nothing is recorded.
struct RecorderLimits {
  std::size_t attempts = 0;
  std::size_t operations = 4'000'000;
  std::size_t list_values = 4'000'000;
};

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
  /// Writes a key's name; keys are numbers in here.
  using KeyName = std::string (*)(std::uint64_t key);

  Recorder(std::uint32_t incarnation, const RecorderLimits& limits, KeyName name_key)
      : incarnation_(incarnation),
        limits_(limits),
        name_key_(name_key),
        notes_(std::make_unique<Notes>()) {
    attempts_.reserve(limits.attempts);  // address space only, until it is used
  }

  /// Runs `body(Transaction&, Notes&)` as a transaction and files its attempts.
  template <class Node, class Body>
  auto update(Node& node, Body body) {
    notes_->clear();
    auto outcome = node.try_run([&](Transaction& t) {
      notes_->begin_attempt(node.now().ns, t.attempt());
      return body(t, *notes_);
    });
    const bool wrote = notes_->last_attempt_wrote();
    file(node, outcome, Kind{.read_only = !wrote, .strict = false});
    return outcome;
  }

  /// The same for one that only reads.
  template <class Node, class Body>
  auto read(Node& node, Freshness freshness, Body body) {
    notes_->clear();
    auto outcome = node.read_only(freshness, [&](Transaction& t) {
      notes_->begin_attempt(node.now().ns, t.attempt());
      return body(t, *notes_);
    });
    file(node, outcome, Kind{.read_only = true, .strict = freshness == Freshness::kLatest});
    return outcome;
  }

  /// A committed transaction has changed so many things that the workload counts at the end.
  void add_effects(std::uint64_t count) noexcept { counts_.effects += count; }

  std::uint32_t incarnation() const noexcept { return incarnation_; }
  const RecorderCounts& counts() const noexcept { return counts_; }
  std::size_t filed() const noexcept { return attempts_.size(); }

  /// An epoch has begun.
  void add_rollback(const history::Rollback& rollback) { rollbacks_.push_back(rollback); }
  const std::vector<history::Rollback>& rollbacks() const noexcept { return rollbacks_; }

  /// Notes of which updates this node has been told that nothing can undo them any more.
  void note_durable(const CoreContext& core) noexcept {
    for (; first_pending_ < attempts_.size(); ++first_pending_) {
      auto& filed = attempts_[first_pending_];
      if (filed.status != history::Status::kCommitted || filed.read_only) continue;
      const auto undone = core.undone.was({filed.commit_time}, filed.epoch);
      if (undone != Undone::Answer::kNo) continue;
      if (core.durable < CommitTime{filed.commit_time}) return;
      filed.durable = true;
    }
  }

  /// A limit was reached: what came later is counted and not filed.
  bool full() const noexcept { return full_; }

  /// Calls `each(history::Attempt)` for all that was filed, in order.
  template <class Each>
  void for_each(Each each) const {
    for (const auto& filed : attempts_) each(to_attempt(filed));
  }

 private:
  struct Kind {
    bool read_only;
    bool strict;
  };

  struct Filed {
    std::uint64_t tx;
    std::int64_t begin_ns;
    std::int64_t end_ns;
    std::uint64_t commit_time;
    std::size_t first;  ///< operation
    std::uint32_t count;
    std::uint32_t attempt;
    Epoch epoch;
    NodeId node;
    history::Status status;
    bool read_only;
    bool strict;
    bool durable;
  };

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
    ++tx_;
    count(outcome.status, outcome.restarts, kind);
    if (limits_.attempts == 0 || full_) return;
    const auto noted = notes_->attempts();
    if (attempts_.size() + noted.size() > limits_.attempts ||
        operations_.size() + notes_->operations().size() > limits_.operations ||
        list_values_.size() + notes_->list_values().size() > limits_.list_values) {
      full_ = true;
      return;
    }
    for (std::size_t i = 0; i < noted.size(); ++i) {
      const bool last = i + 1 == noted.size();
      const auto status = last ? to_history(outcome.status) : history::Status::kAborted;
      attempts_.push_back(
          {.tx = tx_,
           .begin_ns = noted[i].begin_ns,
           .end_ns = last ? end_ns : noted[i + 1].begin_ns,
           .commit_time = outcome.committed() && last ? outcome.commit_time.value : 0,
           .first = operations_.size() + noted[i].first,
           .count = noted[i].count,
           .attempt = noted[i].number,
           .epoch = outcome.committed() ? outcome.epoch : node.protocol().core().epoch,
           .node = node.id(),
           .status = status,
           .read_only = kind.read_only && last && outcome.committed(),
           .strict = kind.strict && last && outcome.committed(),
           .durable = false});
    }
    for (auto operation : notes_->operations()) {
      operation.first_value += list_values_.size();
      operations_.push_back(operation);
    }
    const auto values = notes_->list_values();
    list_values_.insert(list_values_.end(), values.begin(), values.end());
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

  history::Attempt to_attempt(const Filed& filed) const {
    history::Attempt attempt;
    attempt.node = filed.node;
    attempt.incarnation = incarnation_;
    attempt.tx = filed.tx;
    attempt.attempt = filed.attempt;
    attempt.epoch = filed.epoch;
    attempt.begin_ns = filed.begin_ns;
    attempt.end_ns = filed.end_ns;
    attempt.status = filed.status;
    attempt.commit_time = filed.commit_time;
    attempt.read_only = filed.read_only;
    attempt.strict = filed.strict;
    attempt.durable = filed.durable;
    attempt.ops.reserve(filed.count);
    for (const auto& note : std::span(operations_).subspan(filed.first, filed.count)) {
      attempt.ops.push_back({note.kind, name_key_(note.key), value_of(note)});
    }
    return attempt;
  }

  history::Value value_of(const Note& note) const {
    if (!note.is_list) return history::Value::of(note.number);
    const auto values = std::span(list_values_).subspan(note.first_value, note.values);
    return history::Value::of_list({values.begin(), values.end()});
  }

  const std::uint32_t incarnation_;
  const RecorderLimits limits_;
  const KeyName name_key_;
  std::unique_ptr<Notes> notes_;
  std::vector<Filed> attempts_;
  std::size_t first_pending_ = 0;  ///< attempts before it are durable, undone, or no updates
  std::vector<history::Rollback> rollbacks_;
  std::vector<Note> operations_;
  std::vector<std::int64_t> list_values_;
  RecorderCounts counts_;
  std::uint64_t tx_ = 0;
  bool full_ = false;
};

}  // namespace plurix::workloads

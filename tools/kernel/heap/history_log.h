// HistoryLog: what every attempt has read and written, in memory that outlives an abort. It is the
// kernel's counterpart of workloads::Recorder; docs/history.md has the format of its lines.
//
// An entry is written before it is counted: a body may be left between any two instructions.
#pragma once

#include <plurix/base/time.h>
#include <plurix/local/struct_area.h>
#include <plurix/outcome.h>
#include <plurix/transaction.h>

#include <atomic>
#include <span>

#include "interface/resident.h"

namespace plurix::kernel {

struct LoggedOperation {
  std::int64_t value = 0;
  std::uint32_t key = 0;
  bool write = false;
};

enum class AttemptEnd : std::uint8_t { kCommitted, kAborted, kCancelled, kUnknown };

struct LoggedAttempt {
  std::uint64_t tx = 0;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::uint64_t commit_time = 0;
  std::uint32_t first = 0;  ///< operation
  std::uint32_t count = 0;
  std::uint32_t number = 0;  ///< 1, 2, … within the transaction
  Epoch epoch = 0;
  AttemptEnd end = AttemptEnd::kAborted;
  bool read_only = false;
  bool strict = false;
};

struct LogCounts {
  std::uint64_t committed = 0;
  std::uint64_t read_only = 0;
  std::uint64_t aborted = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t unknown = 0;
};

class HistoryLog {
 public:
  /// Room for so many attempts, and for kOperationsEach times as many operations.
  HistoryLog(Resident& resident, std::size_t attempts) noexcept;

  /// Runs `body(Transaction&, HistoryLog&)` as a transaction and files its attempts.
  template <class Node, class Body>
  auto update(Node& node, Body body) {
    begin_transaction();
    auto outcome = node.try_run([&](Transaction& t) {
      begin_attempt(node.now());
      return body(t, *this);
    });
    file(node, outcome.status, outcome.commit_time, outcome.restarts, false, false);
    return outcome;
  }

  /// The same for one that only reads.
  template <class Node, class Body>
  auto read_only(Node& node, Freshness freshness, Body body) {
    begin_transaction();
    auto outcome = node.read_only(freshness, [&](Transaction& t) {
      begin_attempt(node.now());
      return body(t, *this);
    });
    file(node, outcome.status, outcome.commit_time, outcome.restarts, true,
         freshness == Freshness::kLatest);
    return outcome;
  }

  // What a body notes.
  void read(std::uint64_t key, std::int64_t seen) noexcept { add(key, seen, false); }
  void write(std::uint64_t key, std::int64_t number) noexcept { add(key, number, true); }

  std::span<const LoggedAttempt> attempts() const noexcept { return attempts_.first(filed_); }
  std::span<const LoggedOperation> operations_of(const LoggedAttempt& attempt) const noexcept {
    return operations_.subspan(attempt.first, attempt.count);
  }
  const LogCounts& counts() const noexcept { return counts_; }

  /// A limit was reached: what came later is counted and not filed.
  bool full() const noexcept { return full_; }

 private:
  static constexpr std::size_t kOperationsEach = 16;
  static constexpr std::uint32_t kMostInAnAttempt = 1024;

  void begin_transaction() noexcept;
  void begin_attempt(Instant now) noexcept;
  void add(std::uint64_t key, std::int64_t value, bool write) noexcept;
  void count(Status status, std::uint32_t restarts, bool wrote) noexcept;

  template <class Node>
  void file(const Node& node, Status status, CommitTime time, std::uint32_t restarts, bool reader,
            bool strict) noexcept {
    end_transaction(node.now(), node.protocol().core().epoch, status, time, reader, strict);
    count(status, restarts, !reader && last_wrote_);
  }
  void end_transaction(Instant now, Epoch epoch, Status status, CommitTime time, bool reader,
                       bool strict) noexcept;

  std::span<LoggedAttempt> attempts_;
  std::span<LoggedOperation> operations_;
  std::size_t filed_ = 0;    ///< attempts of transactions that are over
  std::size_t running_ = 0;  ///< attempts with those of the running transaction
  std::uint32_t filed_operations_ = 0;
  std::uint32_t running_operations_ = 0;
  std::uint64_t tx_ = 0;
  std::uint32_t runs_ = 0;
  bool full_ = false;
  bool last_wrote_ = false;  ///< the last attempt, also when it is not filed
  LogCounts counts_;
};

}  // namespace plurix::kernel

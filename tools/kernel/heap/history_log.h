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

#include "interface/logged_history.h"
#include "interface/resident.h"

namespace plurix::kernel {

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
      begin_attempt(node.now(), node.protocol().core().epoch);
      return body(t, *this);
    });
    file(node, outcome, false, false);
    return outcome;
  }

  /// The same for one that only reads.
  template <class Node, class Body>
  auto read_only(Node& node, Freshness freshness, Body body) {
    begin_transaction();
    auto outcome = node.read_only(freshness, [&](Transaction& t) {
      begin_attempt(node.now(), node.protocol().core().epoch);
      return body(t, *this);
    });
    file(node, outcome, true, freshness == Freshness::kLatest);
    return outcome;
  }

  // What a body notes.
  void read(std::uint64_t key, std::int64_t seen) noexcept { add(key, seen, false); }
  void write(std::uint64_t key, std::int64_t number) noexcept { add(key, number, true); }

  std::span<const LoggedAttempt> attempts() const noexcept {
    return attempts_.first(logged_.filed);
  }
  std::span<const LoggedOperation> operations_of(const LoggedAttempt& attempt) const noexcept {
    return operations_.subspan(attempt.first, attempt.count);
  }
  const LogCounts& counts() const noexcept { return counts_; }

  /// A limit was reached: what came later is counted and not filed.
  bool full() const noexcept { return logged_.full; }

  /// For who reads it in this machine's memory.
  const LoggedHistory& logged() const noexcept { return logged_; }
  void note_clock(const HostClock& clock) noexcept { logged_.clock = clock; }

 private:
  static constexpr std::size_t kOperationsEach = 16;
  static constexpr std::uint32_t kMostInAnAttempt = 1024;

  void begin_transaction() noexcept;
  void begin_attempt(Instant now, Epoch epoch) noexcept;
  void add(std::uint64_t key, std::int64_t value, bool write) noexcept;
  void count(Status status, std::uint32_t restarts, bool wrote) noexcept;

  template <class Node, class R>
  void file(const Node& node, const Outcome<R>& outcome, bool reader, bool strict) noexcept {
    logged_.node = node.id();
    end_transaction(node.now(), {outcome.status, outcome.commit_time, outcome.epoch}, reader,
                    strict);
    count(outcome.status, outcome.restarts, !reader && last_wrote_);
  }
  struct End {
    Status status;
    CommitTime time;
    Epoch epoch;
  };
  void end_transaction(Instant now, const End& end, bool reader, bool strict) noexcept;

  LoggedHistory logged_;
  std::span<LoggedAttempt> attempts_;
  std::span<LoggedOperation> operations_;
  std::uint32_t filed_operations_ = 0;
  std::uint32_t running_operations_ = 0;
  std::uint64_t tx_ = 0;
  std::uint32_t runs_ = 0;
  bool last_wrote_ = false;  ///< the last attempt, also when it is not filed
  LogCounts counts_;
};

}  // namespace plurix::kernel

#include "heap/history_log.h"

#include <memory>

namespace plurix::kernel {
namespace {

void publish() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

AttemptEnd end_for(Status status) noexcept {
  if (status == Status::kCommitted) return AttemptEnd::kCommitted;
  return status == Status::kUnknown ? AttemptEnd::kUnknown : AttemptEnd::kCancelled;
}

}  // namespace

HistoryLog::HistoryLog(Resident& resident, std::size_t attempts) noexcept {
  const auto bytes = attempts * (sizeof(LoggedAttempt) + kOperationsEach * sizeof(LoggedOperation));
  StructArea area({resident.local_memory(bytes), bytes});
  attempts_ = area.make_array<LoggedAttempt>(attempts);
  operations_ = area.make_array<LoggedOperation>(attempts * kOperationsEach);
}

void HistoryLog::begin_transaction() noexcept {
  ++tx_;
  runs_ = 0;
  running_ = filed_;
  running_operations_ = filed_operations_;
  last_wrote_ = false;
}

// When there is no room the earlier attempts of this transaction, all aborted, are forgotten: they
// have left nothing behind.
void HistoryLog::begin_attempt(Instant now) noexcept {
  const auto has_room = [this] {
    return running_ < attempts_.size() &&
           running_operations_ + kMostInAnAttempt <= operations_.size();
  };
  if (!has_room()) {
    running_ = filed_;
    running_operations_ = filed_operations_;
    full_ = full_ || !has_room();
  }
  ++runs_;
  last_wrote_ = false;
  if (full_) return;
  attempts_[running_] = {
      .tx = tx_, .begin_ns = now.ns, .first = running_operations_, .number = runs_};
  publish();
  ++running_;
}

void HistoryLog::add(std::uint64_t key, std::int64_t value, bool write) noexcept {
  last_wrote_ = last_wrote_ || write;
  if (full_) return;
  auto& attempt = attempts_[running_ - 1];
  PLURIX_ASSERT(attempt.count < kMostInAnAttempt);
  operations_[running_operations_] = {value, static_cast<std::uint32_t>(key), write};
  publish();
  ++running_operations_;
  ++attempt.count;
  publish();
}

void HistoryLog::end_transaction(Instant now, Epoch epoch, Status status, CommitTime time,
                                 bool reader, bool strict) noexcept {
  if (full_) return;
  for (auto i = filed_; i < running_; ++i) {
    auto& attempt = attempts_[i];
    const bool last = i + 1 == running_;
    const bool committed = last && status == Status::kCommitted;
    attempt.end_ns = last ? now.ns : attempts_[i + 1].begin_ns;
    attempt.end = last ? end_for(status) : AttemptEnd::kAborted;
    attempt.epoch = epoch;
    attempt.commit_time = committed ? time.value : 0;
    attempt.read_only = committed && (reader || !last_wrote_);
    attempt.strict = committed && strict;
  }
  filed_ = running_;
  filed_operations_ = running_operations_;
}

void HistoryLog::count(Status status, std::uint32_t restarts, bool wrote) noexcept {
  counts_.aborted += restarts;
  switch (status) {
    case Status::kCommitted:
      ++counts_.committed;
      if (!wrote) ++counts_.read_only;
      break;
    case Status::kUnknown:
      ++counts_.unknown;
      break;
    default:
      ++counts_.cancelled;
      break;
  }
}

}  // namespace plurix::kernel

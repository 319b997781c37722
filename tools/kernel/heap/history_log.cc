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
  logged_.attempts_at = reinterpret_cast<std::uint64_t>(attempts_.data());
  logged_.operations_at = reinterpret_cast<std::uint64_t>(operations_.data());
  logged_.incarnation = resident.start().incarnation;
}

void HistoryLog::begin_transaction() noexcept {
  ++tx_;
  runs_ = 0;
  logged_.running = logged_.filed;
  running_operations_ = filed_operations_;
  last_wrote_ = false;
}

// When there is no room the earlier attempts of this transaction, all aborted, are forgotten: they
// have left nothing behind.
void HistoryLog::begin_attempt(Instant now, Epoch epoch) noexcept {
  const auto has_room = [this] {
    return logged_.running < attempts_.size() &&
           running_operations_ + kMostInAnAttempt <= operations_.size();
  };
  if (!has_room()) {
    logged_.running = logged_.filed;
    running_operations_ = filed_operations_;
    logged_.full = logged_.full || !has_room();
  }
  ++runs_;
  last_wrote_ = false;
  if (logged_.full) return;
  attempts_[logged_.running] = {
      .tx = tx_, .begin_ns = now.ns, .first = running_operations_, .number = runs_, .epoch = epoch};
  publish();
  ++logged_.running;
}

void HistoryLog::add(std::uint64_t key, std::int64_t value, bool write) noexcept {
  last_wrote_ = last_wrote_ || write;
  if (logged_.full) return;
  auto& attempt = attempts_[logged_.running - 1];
  PLURIX_ASSERT(attempt.count < kMostInAnAttempt);
  operations_[running_operations_] = {value, static_cast<std::uint32_t>(key), write};
  publish();
  ++running_operations_;
  ++attempt.count;
  publish();
}

void HistoryLog::end_transaction(Instant now, const End& end, bool reader, bool strict) noexcept {
  if (logged_.full) return;
  for (auto i = logged_.filed; i < logged_.running; ++i) {
    auto& attempt = attempts_[i];
    const bool last = i + 1 == logged_.running;
    const bool committed = last && end.status == Status::kCommitted;
    attempt.end_ns = last ? now.ns : attempts_[i + 1].begin_ns;
    attempt.end = last ? end_for(end.status) : AttemptEnd::kAborted;
    if (committed) attempt.epoch = end.epoch;
    attempt.commit_time = committed ? end.time.value : 0;
    attempt.read_only = committed && (reader || !last_wrote_);
    attempt.strict = committed && strict;
  }
  publish();
  logged_.filed = logged_.running;
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

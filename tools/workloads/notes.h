// Notes: what the attempts of one transaction did, taken down by its body while it runs. Fixed
// arrays, filled an entry before its count (recorder.h says why).
#pragma once

#include <plurix/base/assert.h>
#include <plurix/history/attempt.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

namespace plurix::workloads {

/// One operation. `number`: the value seen or written; of a list read, its length is `values`.
struct Note {
  std::uint64_t key = 0;
  std::int64_t number = 0;
  std::uint64_t first_value = 0;
  std::uint32_t values = 0;
  history::Operation::Kind kind = history::Operation::Kind::kRead;
  bool is_list = false;
};

/// One execution of the body.
struct NotedAttempt {
  std::int64_t begin_ns = 0;
  std::uint32_t number = 0;  ///< 1, 2, … within the transaction
  std::uint32_t first = 0;   ///< operation
  std::uint32_t count = 0;
  std::uint32_t epoch = 0;
  std::uint32_t node = 0;
};

class Notes {
 public:
  static constexpr std::uint32_t kMaxOperations = 1024;  ///< of one attempt
  static constexpr std::uint32_t kMaxListValues = 4096;  ///< of one attempt

  void clear() noexcept {
    attempts_ = 0;
    operations_ = 0;
    list_values_ = 0;
    runs_ = 0;
  }

  /// Called first in the body. When there is no room for one more attempt the older ones, all
  /// aborted, are forgotten: they left nothing behind. Epoch and number of the node are those of
  /// now.
  void begin_attempt(std::int64_t now_ns, std::uint32_t epoch, std::uint32_t node) noexcept {
    const bool room = attempts_ < kAttempts && operations_ + kMaxOperations <= kRoom &&
                      list_values_ + kMaxListValues <= kListRoom;
    if (!room) attempts_ = operations_ = list_values_ = 0;
    // The body may run again without a collision (restart_every), so it counts for itself.
    attempt_[attempts_] = {now_ns, ++runs_, operations_, 0, epoch, node};
    publish();
    ++attempts_;
  }

  void read(std::uint64_t key, std::int64_t seen) noexcept {
    add({.key = key, .number = seen, .kind = history::Operation::Kind::kRead});
  }
  void write(std::uint64_t key, std::int64_t number) noexcept {
    add({.key = key, .number = number, .kind = history::Operation::Kind::kWrite});
  }
  void append(std::uint64_t key, std::int64_t number) noexcept {
    add({.key = key, .number = number, .kind = history::Operation::Kind::kAppend});
  }
  void read_list(std::uint64_t key, std::span<const std::int64_t> seen) noexcept {
    PLURIX_ASSERT(list_values_ + seen.size() <= kListRoom);
    const auto first = list_values_;
    for (const auto value : seen) list_value_[list_values_++] = value;
    add({.key = key,
         .first_value = first,
         .values = static_cast<std::uint32_t>(seen.size()),
         .kind = history::Operation::Kind::kRead,
         .is_list = true});
  }

  std::span<const NotedAttempt> attempts() const noexcept { return {attempt_, attempts_}; }
  std::span<const Note> operations() const noexcept { return {operation_, operations_}; }
  std::span<const std::int64_t> list_values() const noexcept { return {list_value_, list_values_}; }

  bool last_attempt_wrote() const noexcept {
    if (attempts_ == 0) return false;
    const auto& last = attempt_[attempts_ - 1];
    for (std::uint32_t i = 0; i < last.count; ++i) {
      if (operation_[last.first + i].kind != history::Operation::Kind::kRead) return true;
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kAttempts = 64;
  static constexpr std::uint32_t kRoom = 8 * kMaxOperations;
  static constexpr std::uint32_t kListRoom = 8 * kMaxListValues;

  static void publish() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

  void add(const Note& note) noexcept {
    PLURIX_ASSERT(attempts_ > 0 && operations_ < kRoom);
    operation_[operations_] = note;
    publish();
    ++operations_;
    ++attempt_[attempts_ - 1].count;
    publish();
  }

  std::uint32_t attempts_ = 0;
  std::uint32_t operations_ = 0;
  std::uint32_t list_values_ = 0;
  std::uint32_t runs_ = 0;
  NotedAttempt attempt_[kAttempts];
  Note operation_[kRoom];
  std::int64_t list_value_[kListRoom];
};

}  // namespace plurix::workloads

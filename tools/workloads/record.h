// Record: the memory in which a Recorder keeps what it files. It can be a file: then it outlives
// its process however that ends, kill -9 included, and another process of the same program reads
// what the dead one had done. Plain arrays, filled an entry before its count.
#pragma once

#include <plurix/base/types.h>
#include <plurix/history/attempt.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "workloads/notes.h"

namespace plurix::workloads {

/// What is filed at most; beyond it only counts go on. No attempts: nothing is recorded.
struct RecordLimits {
  std::size_t attempts = 0;
  std::size_t operations = 4'000'000;
  std::size_t list_values = 4'000'000;
};

struct FiledAttempt {
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

/// The newest commit of this node whose record has been given to the network: noted before it
/// leaves, so that nobody can have seen a commit that is not noted.
struct SentCommit {
  std::uint64_t time = 0;
  Epoch epoch = 0;
};

/// The transaction that is running.
struct RunningTransaction {
  std::uint64_t tx = 0;
  std::uint64_t applied = 0;  ///< commit time when its newest attempt began
  bool running = false;
};

class Record {
 public:
  /// Writes a key's name; keys are numbers in here.
  using KeyName = std::string (*)(std::uint64_t key);

  static constexpr std::size_t kMaxRollbacks = 4096;

  struct Head {
    RecordLimits limits;
    std::size_t attempts = 0;
    std::size_t operations = 0;
    std::size_t list_values = 0;
    std::size_t rollbacks = 0;
    std::uint32_t incarnation = 0;
    bool full = false;  ///< something was not filed
    SentCommit sent;
    RunningTransaction now;
    history::Rollback rollback[kMaxRollbacks];
    Notes notes;
  };

  /// Empty memory for so much, in `file`, made anew, if that has a name. It is address space only,
  /// until it is used. Throws std::system_error.
  Record(const RecordLimits& limits, std::uint32_t incarnation, const std::string& file) {
    bytes_ = bytes_for(limits);
    if (file.empty()) {
      map(-1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    } else {
      const OpenFile made(file, O_RDWR | O_CREAT | O_TRUNC);
      if (::ftruncate(made.fd, static_cast<off_t>(bytes_)) != 0) fail("no room for a record");
      map(made.fd, MAP_SHARED);
    }
    head_ = new (memory_) Head;
    head_->limits = limits;
    head_->incarnation = incarnation;
  }

  /// What a process has left in `file`. Throws std::system_error.
  explicit Record(const std::string& file) {
    const OpenFile left(file, O_RDWR);
    struct stat status = {};
    if (::fstat(left.fd, &status) != 0) fail("no record");
    bytes_ = static_cast<std::size_t>(status.st_size);
    if (bytes_ < sizeof(Head)) throw std::system_error(EINVAL, std::generic_category(), file);
    map(left.fd, MAP_SHARED);
    head_ = static_cast<Head*>(memory_);
  }

  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record() { ::munmap(memory_, bytes_); }

  Head& head() noexcept { return *head_; }
  const Head& head() const noexcept { return *head_; }

  bool has_room_for(std::size_t attempts, std::size_t operations,
                    std::size_t list_values) const noexcept {
    const auto& limits = head_->limits;
    return head_->attempts + attempts <= limits.attempts &&
           head_->operations + operations <= limits.operations &&
           head_->list_values + list_values <= limits.list_values;
  }

  /// How much of the room is taken where it is scarcest, 0 to 1.
  double filled() const noexcept {
    const auto part = [](std::size_t used, std::size_t limit) {
      return static_cast<double>(used) / static_cast<double>(std::max<std::size_t>(limit, 1));
    };
    const auto& limits = head_->limits;
    return std::max({part(head_->attempts, limits.attempts),
                     part(head_->operations, limits.operations),
                     part(head_->list_values, limits.list_values)});
  }

  /// Its operations are there already.
  void add_attempt(const FiledAttempt& attempt) noexcept {
    filed_at()[head_->attempts] = attempt;
    count(head_->attempts);
  }

  /// A list's values are added after it, and `first_value` counts from the first one of those.
  void add_operation(Note note) noexcept {
    note.first_value += head_->list_values;
    operations_at()[head_->operations] = note;
    count(head_->operations);
  }

  void add_list_values(std::span<const std::int64_t> values) noexcept {
    for (const auto value : values) list_values_at()[head_->list_values++] = value;
  }

  void add_rollback(const history::Rollback& rollback) noexcept {
    PLURIX_ASSERT(head_->rollbacks < kMaxRollbacks);
    head_->rollback[head_->rollbacks] = rollback;
    count(head_->rollbacks);
  }

  std::span<FiledAttempt> attempts() noexcept { return {filed_at(), head_->attempts}; }
  std::span<const history::Rollback> rollbacks() const noexcept {
    return {head_->rollback, head_->rollbacks};
  }

  /// Calls `each(history::Attempt)` for all that was filed, in order.
  template <class Each>
  void for_each(KeyName name_key, Each each) const {
    for (std::size_t i = 0; i < head_->attempts; ++i) {
      const auto& filed = filed_at()[i];
      each(to_attempt(filed, {operations_at() + filed.first, filed.count}, list_values_at(),
                      name_key, head_->incarnation));
    }
  }

  /// The attempt in which the process died, if it noted one: `unknown` if others may have seen its
  /// commit, else `aborted`.
  std::optional<history::Attempt> in_doubt(KeyName name_key, std::int64_t end_ns) const {
    const auto& now = head_->now;
    const auto noted = head_->notes.attempts();
    if (!now.running || noted.empty()) return {};
    const auto& last = noted.back();
    const bool sent = head_->sent.time > now.applied && head_->notes.last_attempt_wrote();
    const FiledAttempt filed{.tx = now.tx,
                             .begin_ns = last.begin_ns,
                             .end_ns = end_ns,
                             .commit_time = sent ? head_->sent.time : 0,
                             .first = last.first,
                             .count = last.count,
                             .attempt = last.number,
                             .epoch = sent ? head_->sent.epoch : last.epoch,
                             .node = static_cast<NodeId>(last.node),
                             .status = sent ? history::Status::kUnknown : history::Status::kAborted,
                             .read_only = false,
                             .strict = false,
                             .durable = false};
    return to_attempt(filed, head_->notes.operations().subspan(last.first, last.count),
                      head_->notes.list_values().data(), name_key, head_->incarnation);
  }

 private:
  struct OpenFile {
    OpenFile(const std::string& path, int flags)
        : fd(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
      if (fd < 0) fail(path);
    }
    ~OpenFile() { ::close(fd); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    int fd;
  };

  [[noreturn]] static void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
  }

  static std::size_t bytes_for(const RecordLimits& limits) noexcept {
    const auto kept = limits.attempts == 0 ? RecordLimits{0, 0, 0} : limits;
    return sizeof(Head) + kept.attempts * sizeof(FiledAttempt) + kept.operations * sizeof(Note) +
           kept.list_values * sizeof(std::int64_t);
  }

  void map(int fd, int flags) {
    memory_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory_ == MAP_FAILED) fail("no memory for a record");
  }

  static void count(std::size_t& entries) noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    ++entries;
  }

  FiledAttempt* filed_at() const noexcept { return reinterpret_cast<FiledAttempt*>(head_ + 1); }
  Note* operations_at() const noexcept {
    return reinterpret_cast<Note*>(filed_at() + head_->limits.attempts);
  }
  std::int64_t* list_values_at() const noexcept {
    return reinterpret_cast<std::int64_t*>(operations_at() + head_->limits.operations);
  }

  static history::Attempt to_attempt(const FiledAttempt& filed, std::span<const Note> notes,
                                     const std::int64_t* list_values, KeyName name_key,
                                     std::uint32_t incarnation) {
    history::Attempt attempt;
    attempt.node = filed.node;
    attempt.incarnation = incarnation;
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
    attempt.ops.reserve(notes.size());
    for (const auto& note : notes) {
      attempt.ops.push_back({note.kind, name_key(note.key), value_of(note, list_values)});
    }
    return attempt;
  }

  static history::Value value_of(const Note& note, const std::int64_t* list_values) {
    if (!note.is_list) return history::Value::of(note.number);
    const auto* first = list_values + note.first_value;
    return history::Value::of_list({first, first + note.values});
  }

  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
  Head* head_ = nullptr;
};

}  // namespace plurix::workloads

// How a transaction ended, as `try_run` tells it, and the errors `run` throws in hosted builds.
#pragma once

#include <plurix/base/types.h>

#include <optional>
#include <type_traits>
#include <utility>

#if defined(__cpp_exceptions)
#include <exception>
#endif

namespace plurix {

enum class Status : std::uint8_t {
  kCommitted,
  kCancelled,    ///< the body refused; nothing happened
  kUnknown,      ///< the node was stopped, or left the cluster, before the outcome was known
  kOutOfMemory,  ///< the heap, the table of roots or the write set is full; nothing happened
};

/// What has become of a commit, as `wait_durable` tells it.
enum class Durability : std::uint8_t {
  kDurable,     ///< no recovery can undo it any more
  kRolledBack,  ///< a recovery has undone it
  kUnknown,     ///< not known in time, or this node has lost the thread
};

struct Nothing {};

/// `value` is set when committed; `commit_time` too (of a reader: the time of its snapshot).
template <class R>
struct Outcome {
  using Value = std::conditional_t<std::is_void_v<R>, Nothing, R>;

  Status status = Status::kUnknown;
  CommitTime commit_time;
  Epoch epoch = 0;             ///< of the commit: with the time it names it for `wait_durable`
  std::uint32_t restarts = 0;  ///< how often the body was aborted before
  const char* reason = "";     ///< words, when not committed
  std::optional<Value> value;

  bool committed() const noexcept { return status == Status::kCommitted; }
  bool cancelled() const noexcept { return status == Status::kCancelled; }
  bool unknown() const noexcept { return status == Status::kUnknown; }
  bool out_of_memory() const noexcept { return status == Status::kOutOfMemory; }
};

#if defined(__cpp_exceptions)

/// Base of what `run` throws for its own reasons, in words.
class Error : public std::exception {
 public:
  explicit Error(const char* what) noexcept {
    for (std::size_t i = 0; i + 1 < sizeof what_ && what[i] != '\0'; ++i) what_[i] = what[i];
  }
  const char* what() const noexcept override { return what_; }

 private:
  char what_[192] = "";  // its own, because the node that put it together may be gone
};

/// The heap, the table of roots or the write set is full. Nothing of the transaction happened.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// The node was stopped or left the cluster while the transaction ran.
class Stopped : public Error {
 public:
  using Error::Error;
};

/// The program is wrong: another type under a name, another layout of a type, a write in a
/// read-only transaction, a freed object that is linked.
class Misuse : public Error {
 public:
  using Error::Error;
};

#endif

}  // namespace plurix

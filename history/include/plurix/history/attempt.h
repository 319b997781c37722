// A history: what every attempt of every transaction read and wrote, and how it ended.
//
// One `Attempt` is one run of a transaction's body on one node, aborted ones included. The
// operations stand in program order with the values that the body saw. Times in nanoseconds come
// from one monotonic clock of the machine; commit times are the cluster's logical time.
// `json_lines.h` writes and reads histories, `check_all.h` judges them, and docs/history.md
// explains both.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace plurix::history {

// What a register or a list held. The number 0 and the empty list are the same thing: the value of
// a key that nobody has written yet (`null` in a file is read as 0).
struct Value {
  std::int64_t number = 0;
  std::vector<std::int64_t> list;
  bool is_list = false;

  static Value of(std::int64_t number) { return Value{number, {}, false}; }
  static Value of_list(std::vector<std::int64_t> list) { return Value{0, std::move(list), true}; }

  bool is_initial() const { return is_list ? list.empty() : number == 0; }

  friend bool operator==(const Value& a, const Value& b) {
    if (a.is_initial() || b.is_initial()) return a.is_initial() && b.is_initial();
    return a.is_list == b.is_list && a.number == b.number && a.list == b.list;
  }
};

struct Operation {
  enum class Kind : std::uint8_t { kRead, kWrite, kAppend };

  Kind kind = Kind::kRead;
  std::string key;  // UTF-8; up to 15 bytes cost no allocation
  Value value;      // read: what was seen; write and append: the number written

  static Operation read(std::string key, Value seen) {
    return {Kind::kRead, std::move(key), std::move(seen)};
  }
  static Operation read(std::string key, std::int64_t seen) {
    return {Kind::kRead, std::move(key), Value::of(seen)};
  }
  static Operation write(std::string key, std::int64_t number) {
    return {Kind::kWrite, std::move(key), Value::of(number)};
  }
  static Operation append(std::string key, std::int64_t number) {
    return {Kind::kAppend, std::move(key), Value::of(number)};
  }

  friend bool operator==(const Operation&, const Operation&) = default;
};

enum class Status : std::uint8_t {
  kCommitted,  // took effect at `commit_time`
  kAborted,    // restarted or given up by the system: left nothing behind
  kCancelled,  // given up by its own body: left nothing behind
  kUnknown,    // the caller was not told: took effect wholly or not at all, perhaps after `end_ns`
};

struct Attempt {
  std::uint32_t node = 0;
  std::uint32_t incarnation = 0;  // grows each time the node is started anew
  std::uint64_t tx = 0;           // unique within (node, incarnation)
  std::uint32_t attempt = 0;      // grows with each restart of the transaction
  std::uint32_t epoch =
      0;  // the epoch of its commit, or, if it did not commit, the one it began in
  std::int64_t begin_ns = 0;  // taken before the body starts
  std::int64_t end_ns = 0;    // taken after the caller knows the outcome
  Status status = Status::kAborted;
  // An update: its place in the order of commits (of several packets: the last one's time). A
  // read-only transaction: the time of its snapshot. An unknown outcome: the time it would have
  // taken, 0 if none was chosen. Else without meaning.
  std::uint64_t commit_time = 0;
  bool read_only = false;
  bool strict =
      false;  // read-only, and its caller asked to see everything that ended before it began
  bool durable = false;  // its caller was told that no recovery can undo it
  std::vector<Operation> ops;

  friend bool operator==(const Attempt&, const Attempt&) = default;
};

// Epoch `epoch` started from the state at `to_commit_time`: commits of older epochs after that time
// are undone.
struct Rollback {
  std::uint32_t epoch = 0;
  std::uint64_t to_commit_time = 0;
  std::int64_t at_ns = 0;

  friend bool operator==(const Rollback&, const Rollback&) = default;
};

struct History {
  std::vector<Attempt> attempts;
  std::vector<Rollback> rollbacks;

  friend bool operator==(const History&, const History&) = default;
};

}  // namespace plurix::history

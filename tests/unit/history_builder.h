// Small histories by hand: each attempt gets the next transaction number and, unless told
// otherwise, an interval of its own behind all earlier ones (its number times 100 ns, 50 ns long).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <plurix/history/check_all.h>

namespace plurix::history::testing {

inline Operation r(std::string key, std::int64_t seen) {
  return Operation::read(std::move(key), seen);
}
inline Operation rl(std::string key, std::vector<std::int64_t> seen) {
  return Operation::read(std::move(key), Value::of_list(std::move(seen)));
}
inline Operation w(std::string key, std::int64_t number) {
  return Operation::write(std::move(key), number);
}
inline Operation app(std::string key, std::int64_t number) {
  return Operation::append(std::move(key), number);
}

struct HistoryBuilder {
  History history;

  // The reference is good until the next attempt is added.
  Attempt& add(Status status, std::uint64_t commit_time, std::vector<Operation> ops) {
    Attempt attempt;
    attempt.node = 1;
    attempt.incarnation = 1;
    attempt.tx = history.attempts.size() + 1;
    attempt.attempt = 1;
    attempt.epoch = 1;
    attempt.begin_ns = static_cast<std::int64_t>(attempt.tx) * 100;
    attempt.end_ns = attempt.begin_ns + 50;
    attempt.status = status;
    attempt.commit_time = commit_time;
    attempt.ops = std::move(ops);
    history.attempts.push_back(std::move(attempt));
    return history.attempts.back();
  }
  Attempt& update(std::uint64_t commit_time, std::vector<Operation> ops) {
    return add(Status::kCommitted, commit_time, std::move(ops));
  }
  Attempt& reader(std::uint64_t snapshot, std::vector<Operation> ops) {
    Attempt& attempt = add(Status::kCommitted, snapshot, std::move(ops));
    attempt.read_only = true;
    return attempt;
  }
  Attempt& aborted(std::vector<Operation> ops) { return add(Status::kAborted, 0, std::move(ops)); }
  Attempt& unknown(std::uint64_t commit_time, std::vector<Operation> ops) {
    return add(Status::kUnknown, commit_time, std::move(ops));
  }
  void rollback(std::uint32_t epoch, std::uint64_t to_commit_time) {
    history.rollbacks.push_back({epoch, to_commit_time, 0});
  }

  Report run(Check check) const { return check_all(history, {{check}, 10}); }
};

inline void during(Attempt& attempt, std::int64_t begin_ns, std::int64_t end_ns) {
  attempt.begin_ns = begin_ns;
  attempt.end_ns = end_ns;
}

inline void in_epoch(Attempt& attempt, std::uint32_t epoch) { attempt.epoch = epoch; }

// "invariant: words", one line a violation; empty if all is well.
inline std::string violations_of(const Report& report) {
  std::string text;
  for (const Violation& violation : report.violations) {
    text += violation.invariant + ": " + violation.words + "\n";
  }
  return text;
}

}  // namespace plurix::history::testing

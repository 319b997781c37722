// Random serial executions, told as histories with overlapping intervals, pass every check. After a
// random mutation the checks and the brute force agree on whether something is wrong.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <utility>

#include <plurix/history/json_lines.h>
#include "unit/history_brute_force.h"
#include "unit/history_builder.h"

namespace plurix::history::testing {
namespace {

enum class Values { kUniqueReadFirst, kUniqueBlind, kRepeated, kLists };

// The whole range whatever the size that rapidcheck is at: ranges are small enough here.
int any(int below) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, below)); }
bool one_in(int n) { return any(n) == 0; }
std::string any_key() { return std::string(1, static_cast<char>('a' + any(3))); }

// A heap on which transactions run one after the other, keeping every state.
class SerialRun {
 public:
  explicit SerialRun(Values values) : values_(values), states_(1) {}

  History history_of(int attempts) {
    for (int i = 0; i < attempts; ++i) add_attempt();
    return std::move(builder_.history);
  }

 private:
  using State = std::map<std::string, Value>;

  // The attempt takes effect at 1000, 2000, …; its interval reaches up to two such points to either
  // side.
  void add_attempt() {
    switch (any(4)) {
      case 0:
        add_reader();
        break;
      case 1:
        add_aborted();
        break;
      default:
        add_update();
    }
    Attempt& attempt = builder_.history.attempts.back();
    const std::int64_t point = static_cast<std::int64_t>(attempt.tx) * 1000 + 2000;
    during(attempt, point - any(2000), point + any(2000));
  }

  void add_update() {
    State state = states_.back();
    std::vector<Operation> ops = body(state, true);
    commit_time_ += static_cast<std::uint64_t>(1 + any(2));
    states_.push_back(std::move(state));
    times_.push_back(commit_time_);
    builder_.update(commit_time_, std::move(ops));
  }

  void add_reader() {
    const bool strict = one_in(2);
    const std::size_t snapshot = strict ? states_.size() - 1 : any_snapshot();
    State state = states_[snapshot];
    builder_.reader(times_[snapshot], body(state, false)).strict = strict;
  }

  void add_aborted() {
    State state = states_[any_snapshot()];
    builder_.aborted(body(state, true));
  }

  std::size_t any_snapshot() const {
    return static_cast<std::size_t>(any(static_cast<int>(states_.size())));
  }

  std::vector<Operation> body(State& state, bool writes) {
    std::vector<Operation> ops;
    const int count = 1 + any(4);
    for (int i = 0; i < count; ++i) {
      const std::string key = any_key();
      const bool write = writes && (i == 0 || one_in(2));
      if (!write || values_ == Values::kUniqueReadFirst || one_in(2)) {
        state[key].is_list = values_ == Values::kLists;
        ops.push_back(Operation::read(key, state[key]));
      }
      if (write) ops.push_back(run_write(state[key], key));
    }
    return ops;
  }

  Operation run_write(Value& value, const std::string& key) {
    const std::int64_t number = values_ == Values::kRepeated ? 1 + any(3) : ++last_number_;
    if (values_ != Values::kLists) {
      value = Value::of(number);
      return w(key, number);
    }
    value.is_list = true;
    value.list.push_back(number);
    return app(key, number);
  }

  Values values_;
  HistoryBuilder builder_;
  std::vector<State> states_;
  std::vector<std::uint64_t> times_{0};
  std::uint64_t commit_time_ = 0;
  std::int64_t last_number_ = 0;
};

Value older_or_newer(const Value& value) {
  if (value.is_list) {
    Value other = value;
    if (other.list.empty() || one_in(3)) {
      other.list.push_back(1 + any(6));
    } else {
      other.list.pop_back();
    }
    return other;
  }
  return Value::of(std::max<std::int64_t>(0, value.number + any(5) - 2));
}

void mutate_operation(Attempt& attempt) {
  const auto op = static_cast<std::size_t>(any(static_cast<int>(attempt.ops.size())));
  if (attempt.ops[op].kind == Operation::Kind::kRead) {
    attempt.ops[op].value = older_or_newer(attempt.ops[op].value);
  } else {
    attempt.ops.erase(attempt.ops.begin() + static_cast<std::ptrdiff_t>(op));
  }
}

void mutate(History& history) {
  const auto pick = [&]() -> Attempt& {
    return history
        .attempts[static_cast<std::size_t>(any(static_cast<int>(history.attempts.size())))];
  };
  Attempt& attempt = pick();
  switch (any(6)) {
    case 0:
      std::swap(attempt.commit_time, pick().commit_time);
      break;
    case 1:
      during(attempt, attempt.end_ns + any(2000), attempt.end_ns + 4000);
      break;
    case 2:
      during(attempt, 0, any(2000));
      break;
    case 3:
      attempt.status = Status::kAborted;
      break;
    default:
      if (!attempt.ops.empty()) mutate_operation(attempt);
  }
}

Report timed_report(const History& history) {
  return check_all(
      history, {{Check::kCommitOrder, Check::kRealTime, Check::kFreshness, Check::kOpacity}, 10});
}

std::string lines_of(const History& history) {
  std::string text;
  for (const Attempt& attempt : history.attempts) append_line(text, attempt);
  return text;
}

// A serial order may exist in which an ordinary reader follows an update that began after the
// reader had ended.
bool only_reads_of_the_future(const Report& report) {
  return std::all_of(
      report.violations.begin(), report.violations.end(), [](const Violation& violation) {
        return violation.words.find("had ended before that began") != std::string::npos;
      });
}

// Whether timed checks and brute force agreed, and the graph alarmed only where no serial order
// exists.
void compare(const History& history, bool graph_is_complete) {
  const BruteForce brute(history);
  const Report timed = timed_report(history);
  RC_LOG() << lines_of(history) << to_words(timed);
  RC_ASSERT(timed.ok() == brute.timed_invariants_hold());
  const Report graph = check_all(history, {{Check::kGraph}, 10});
  RC_LOG() << to_words(graph);
  RC_CLASSIFY(!timed.ok(), "timed violation");
  RC_CLASSIFY(!graph.ok(), "graph violation");
  if (brute.some_serial_order()) RC_ASSERT(only_reads_of_the_future(graph));
  if (!brute.some_serial_order() && graph_is_complete) RC_ASSERT(!graph.ok());
}

void passes(Values values) {
  const History history = SerialRun(values).history_of(1 + any(40));
  const Report report = check_all(history);
  RC_LOG() << lines_of(history) << to_words(report);
  RC_ASSERT(report.ok());
}

void agrees(Values values) {
  History history = SerialRun(values).history_of(1 + any(7));
  const int mutations = 1 + any(2);
  for (int i = 0; i < mutations; ++i) mutate(history);
  // Of blind writes the graph knows too little to find every violation.
  compare(history, values == Values::kLists || values == Values::kUniqueReadFirst);
}

RC_GTEST_PROP(HistoryProperty, SerialRunsPassWithReadsBeforeWrites, ()) {
  passes(Values::kUniqueReadFirst);
}
RC_GTEST_PROP(HistoryProperty, SerialRunsPassWithBlindWrites, ()) { passes(Values::kUniqueBlind); }
RC_GTEST_PROP(HistoryProperty, SerialRunsPassWithRepeatedValues, ()) { passes(Values::kRepeated); }
RC_GTEST_PROP(HistoryProperty, SerialRunsPassWithLists, ()) { passes(Values::kLists); }

RC_GTEST_PROP(HistoryProperty, MutantsAreJudgedRightWithReadsBeforeWrites, ()) {
  agrees(Values::kUniqueReadFirst);
}
RC_GTEST_PROP(HistoryProperty, MutantsAreJudgedRightWithBlindWrites, ()) {
  agrees(Values::kUniqueBlind);
}
RC_GTEST_PROP(HistoryProperty, MutantsAreJudgedRightWithRepeatedValues, ()) {
  agrees(Values::kRepeated);
}
RC_GTEST_PROP(HistoryProperty, MutantsAreJudgedRightWithLists, ()) { agrees(Values::kLists); }

}  // namespace
}  // namespace plurix::history::testing

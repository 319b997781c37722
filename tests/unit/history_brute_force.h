// The invariants of tiny histories decided by trying everything: what the real checks are compared
// with. Written for being obviously right, and apart from the history's structs it shares nothing
// with them.
//
// Only committed, aborted and cancelled attempts of one epoch; at most about seven committed ones.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <plurix/history/attempt.h>

namespace plurix::history::testing {

class BruteForce {
 public:
  explicit BruteForce(const History& history) : attempts_(history.attempts) {
    for (const Attempt& attempt : attempts_) {
      if (is_update(attempt)) order_.push_back(&attempt);
    }
    std::sort(order_.begin(), order_.end(), [](const Attempt* a, const Attempt* b) {
      return std::pair(a->commit_time, a) < std::pair(b->commit_time, b);
    });
    for (std::size_t length = 0; length <= order_.size(); ++length)
      states_.push_back(after(order_, length));
  }

  // Does what commit_order, real_time and opacity together demand hold?
  bool timed_invariants_hold() const {
    for (const Attempt& attempt : attempts_) {
      if (!saw_some_snapshot(attempt)) return false;
      if (is_reader(attempt) && !reader_holds(attempt)) return false;
    }
    return updates_hold();
  }

  // Is there any serial order of the committed attempts that explains what they read and respects
  // real time?
  bool some_serial_order() const {
    std::vector<const Attempt*> committed;
    for (const Attempt& attempt : attempts_) {
      if (is_update(attempt) || is_reader(attempt)) committed.push_back(&attempt);
    }
    return extends_to_all(State{}, committed);
  }

 private:
  using State = std::map<std::string, Value>;

  static bool writes(const Attempt& attempt) {
    return std::any_of(attempt.ops.begin(), attempt.ops.end(),
                       [](const Operation& op) { return op.kind != Operation::Kind::kRead; });
  }
  static bool is_update(const Attempt& a) { return a.status == Status::kCommitted && writes(a); }
  static bool is_reader(const Attempt& a) { return a.status == Status::kCommitted && !writes(a); }

  // Runs the attempt on the state; false if one of its reads sees something else.
  static bool run(const Attempt& attempt, State& state) {
    bool agrees = true;
    for (const Operation& op : attempt.ops) {
      Value& value = state[op.key];
      switch (op.kind) {
        case Operation::Kind::kRead:
          agrees &= value == op.value;
          break;
        case Operation::Kind::kWrite:
          value = op.value;
          break;
        case Operation::Kind::kAppend:
          value.is_list = true;
          value.list.push_back(op.value.number);
      }
    }
    return agrees;
  }

  static State after(const std::vector<const Attempt*>& order, std::size_t length) {
    State state;
    for (std::size_t i = 0; i < length; ++i) run(*order[i], state);
    return state;
  }

  bool fits(const Attempt& attempt, std::size_t length) const {
    State state = states_[length];
    return run(attempt, state);
  }

  // The first `length` updates contain none that began after `end_ns`.
  bool known_by(std::int64_t end_ns, std::size_t length) const {
    return std::all_of(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(length),
                       [=](const Attempt* update) { return update->begin_ns <= end_ns; });
  }

  bool saw_some_snapshot(const Attempt& attempt) const {
    for (std::size_t length = 0; length <= order_.size(); ++length) {
      if (known_by(attempt.end_ns, length) && fits(attempt, length)) return true;
    }
    return false;
  }

  bool reader_holds(const Attempt& reader) const {
    std::size_t length = 0;
    while (length < order_.size() && order_[length]->commit_time <= reader.commit_time) ++length;
    if (!fits(reader, length) || !known_by(reader.end_ns, length)) return false;
    return !reader.strict ||
           std::all_of(order_.begin() + static_cast<std::ptrdiff_t>(length), order_.end(),
                       [&](const Attempt* update) { return update->end_ns >= reader.begin_ns; });
  }

  bool updates_hold() const {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (!fits(*order_[i], i)) return false;
      for (std::size_t later = i + 1; later < order_.size(); ++later) {
        if (order_[later]->commit_time == order_[i]->commit_time) return false;
        if (order_[later]->end_ns < order_[i]->begin_ns) return false;
      }
    }
    return true;
  }

  static bool bound_by_real_time(const Attempt& attempt) {
    return is_update(attempt) || attempt.strict;
  }

  // Can the attempts that are left all follow, one after the other?
  static bool extends_to_all(const State& state, const std::vector<const Attempt*>& left) {
    return left.empty() || std::any_of(left.begin(), left.end(), [&](const Attempt* next) {
             State then = state;
             if (!may_be_first(*next, left) || !run(*next, then)) return false;
             std::vector<const Attempt*> rest = left;
             std::erase(rest, next);
             return extends_to_all(then, rest);
           });
  }

  static bool may_be_first(const Attempt& first, const std::vector<const Attempt*>& left) {
    return std::none_of(left.begin(), left.end(), [&](const Attempt* other) {
      return bound_by_real_time(first) && bound_by_real_time(*other) &&
             other->end_ns < first.begin_ns;
    });
  }

  const std::vector<Attempt>& attempts_;
  std::vector<const Attempt*> order_;  // the updates by commit time
  std::vector<State> states_;          // after none, one, two … of them
};

}  // namespace plurix::history::testing

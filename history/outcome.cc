#include <plurix/history/outcome.h>

#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace plurix::history {
namespace {

using Name = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::uint32_t>;

Name identity(const Attempt& attempt) {
  return {attempt.node, attempt.incarnation, attempt.tx, attempt.attempt};
}

bool is_open(const Index& index, AttemptId id) {
  return index.attempt(id).status == Status::kUnknown;
}

void drop_superseded(Index& index) {
  std::map<Name, AttemptId> open;
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (is_open(index, id)) open[identity(index.attempt(id))] = id;
  }
  if (open.empty()) return;
  for (AttemptId id = 0; id < index.size(); ++id) {
    const auto found = open.find(identity(index.attempt(id)));
    if (found != open.end() && found->second < id) {
      index.set_effect(found->second, Effect::kSuperseded);
    }
    if (found != open.end() && id < found->second) {
      // Two "unknown" lines, or an outcome before its intent: the last "unknown" line says nothing
      // new.
      index.set_effect(is_open(index, id) ? id : found->second, Effect::kSuperseded);
    }
  }
}

// What became of one (key, number) that an open attempt wrote.
struct Trace {
  AttemptId writer = kNobody;
  bool others_wrote_it = false;
  bool seen = false;
};

// The writes of open attempts and who else wrote or saw the same.
class Traces {
 public:
  explicit Traces(const Index& index) : index_(index) {
    for (AttemptId id = 0; id < index.size(); ++id) {
      if (index.effect(id) == Effect::kMaybe) note_open(id);
    }
    if (traces_.empty()) return;
    for (AttemptId id = 0; id < index.size(); ++id) note_others(id);
  }

  // Some number that this attempt wrote was seen by another: surely its own, or perhaps another
  // writer's.
  bool seen(AttemptId id, bool surely) const {
    for (const Write& write : index_.writes(id)) {
      const Trace& trace = traces_.at({write.key, write.number});
      if (trace.seen && !(surely && ambiguous(write, trace))) return true;
    }
    return false;
  }

 private:
  static bool ambiguous(const Write& write, const Trace& trace) {
    return trace.others_wrote_it || write.number == 0;
  }

  void note_open(AttemptId id) {
    for (const Write& write : index_.writes(id)) {
      Trace& trace = traces_[{write.key, write.number}];
      trace.others_wrote_it |= trace.writer != kNobody && trace.writer != id;
      trace.writer = id;
      keys_.insert(write.key);
    }
  }

  void note_others(AttemptId id) {
    if (index_.effect(id) == Effect::kUpdate) {
      for (const Write& write : index_.writes(id)) note_write(write);
    }
    for (const OutsideRead& read : index_.reads(id)) {
      if (!keys_.contains(read.key)) continue;
      const Value& value = index_.attempt(id).ops[read.op].value;
      if (!value.is_list) note_read(id, read.key, value.number);
      for (const std::int64_t element : index_.outside_list(id, read))
        note_read(id, read.key, element);
    }
  }

  void note_write(const Write& write) {
    const auto found = traces_.find({write.key, write.number});
    if (found != traces_.end()) found->second.others_wrote_it = true;
  }

  void note_read(AttemptId reader, Key key, std::int64_t number) {
    const auto found = traces_.find({key, number});
    if (found != traces_.end() && found->second.writer != reader) found->second.seen = true;
  }

  const Index& index_;
  std::map<std::pair<Key, std::int64_t>, Trace> traces_;
  std::set<Key> keys_;
};

bool writes_a(KeyKind kind, const Index& index, AttemptId id) {
  for (const Write& write : index.writes(id)) {
    if (index.kind(write.key) == kind) return true;
  }
  return false;
}

// A place in the commit order where each read may find the update or not: lists cannot have one,
// since an append changes every later list.
bool fits_a_place(const Index& index, AttemptId id) {
  return index.attempt(id).commit_time != 0 && writes_a(KeyKind::kRegister, index, id);
}

Effect settled(const Index& index, const Traces& traces, AttemptId id) {
  const bool timed = index.attempt(id).commit_time != 0;
  if (traces.seen(id, true)) return timed ? Effect::kUpdate : Effect::kUntimed;
  const bool list_in_doubt = traces.seen(id, false) && writes_a(KeyKind::kList, index, id);
  return fits_a_place(index, id) && !list_in_doubt ? Effect::kMaybe : Effect::kNone;
}

}  // namespace

std::size_t settle_outcomes(Index& index) {
  drop_superseded(index);
  const Traces traces(index);
  std::set<Key> untimed;
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (index.effect(id) != Effect::kMaybe) continue;
    const Effect effect = settled(index, traces, id);
    const bool in_doubt = traces.seen(id, false) && !traces.seen(id, true);
    const bool without_place = effect == Effect::kUntimed || (in_doubt && effect == Effect::kNone);
    for (const Write& write : index.writes(id)) {
      if (without_place) untimed.insert(write.key);
      if (in_doubt) index.set_ambiguous(write.key);
    }
    index.set_effect(id, effect);
  }
  for (const Key key : untimed) index.set_untimed(key);
  return untimed.size();
}

}  // namespace plurix::history

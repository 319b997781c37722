// A history made ready for checking: keys as numbers, values as 64-bit words, and for each attempt
// its *outside* reads (those not answered by its own earlier writes) and its writes.
//
// A register's word is its number, a list's word a hash of its elements in order (two different
// lists share a word with probability 2^-64); the initial value is 0 in both, so one comparison
// serves all checks. A read of a list after own appends is an outside read of what stood before
// them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <plurix/history/attempt.h>

namespace plurix::history {

using Key = std::uint32_t;
using AttemptId = std::uint32_t;  // index into History::attempts
using Word = std::uint64_t;

inline constexpr AttemptId kNobody = 0xffff'ffff;

inline Word word_of(std::int64_t number) { return static_cast<Word>(number); }
Word list_word(Word list, std::int64_t appended);
Word list_word(std::span<const std::int64_t> list);

struct OutsideRead {
  Key key;
  std::uint32_t op;      // index into Attempt::ops
  std::uint32_t length;  // of the outside part of a list
  Word word;
};

struct Write {
  Key key;
  std::uint32_t op;  // a register's last write by the attempt; each append
  std::int64_t number;
};

// A read that disagrees with an earlier write of the same attempt.
struct OwnWriteLost {
  AttemptId attempt;
  std::uint32_t op;
};

enum class KeyKind : std::uint8_t { kUntouched, kRegister, kList, kMixed };

// What an attempt counts as once all lines are known.
enum class Effect : std::uint8_t {
  kNone,       // left nothing behind: aborted, cancelled, or unknown and nobody saw it
  kReader,     // committed without writing
  kUpdate,     // took effect at its commit time
  kMaybe,      // unknown, unseen: a read may find it or not
  kUntimed,    // took effect, but nobody wrote down when
  kSuperseded  // an "unknown" line that a later line of the same attempt replaces
};

class Index {
 public:
  explicit Index(const History& history);

  const History& history() const { return *history_; }
  std::size_t size() const { return history_->attempts.size(); }
  const Attempt& attempt(AttemptId id) const { return history_->attempts[id]; }
  Effect effect(AttemptId id) const { return effects_[id]; }
  void set_effect(AttemptId id, Effect effect) { effects_[id] = effect; }

  std::span<const OutsideRead> reads(AttemptId id) const {
    return {reads_.data() + read_begin_[id], reads_.data() + read_begin_[id + 1]};
  }
  std::span<const Write> writes(AttemptId id) const {
    return {writes_.data() + write_begin_[id], writes_.data() + write_begin_[id + 1]};
  }
  // The list behind a read, without the reader's own appends.
  std::span<const std::int64_t> outside_list(AttemptId id, const OutsideRead& read) const {
    return {attempt(id).ops[read.op].value.list.data(), read.length};
  }
  const std::vector<OwnWriteLost>& own_writes_lost() const { return own_writes_lost_; }

  std::size_t key_count() const { return names_.size(); }
  std::string_view key_name(Key key) const { return names_[key]; }
  KeyKind kind(Key key) const { return kinds_[key]; }
  // Judged by the checks that trust commit times: not a mix of register and list, no update without
  // a time.
  bool judged(Key key) const { return kinds_[key] != KeyKind::kMixed && !untimed_[key]; }
  void set_untimed(Key key) { untimed_[key] = true; }
  // A value of the key may be that of an unknown outcome or another's: values do not name their
  // writers.
  bool ambiguous(Key key) const { return ambiguous_[key]; }
  void set_ambiguous(Key key) { ambiguous_[key] = true; }

 private:
  struct Own;  // what the attempt being added wrote to each key
  void add_attempt(AttemptId id, Own& own);
  void add_read(AttemptId id, std::uint32_t op, Key key, const Own& own);
  void add_write(std::uint32_t op, Key key, const Operation& operation, Own& own);
  Key intern(std::string_view name);
  void note_kind(Key key, const Operation& op);

  const History* history_;
  std::vector<Effect> effects_;
  std::vector<std::uint64_t> read_begin_, write_begin_;
  std::vector<OutsideRead> reads_;
  std::vector<Write> writes_;
  std::vector<OwnWriteLost> own_writes_lost_;
  std::unordered_map<std::string_view, Key> keys_;
  std::vector<std::string_view> names_;
  std::vector<KeyKind> kinds_;
  std::vector<bool> untimed_;
  std::vector<bool> ambiguous_;
};

}  // namespace plurix::history

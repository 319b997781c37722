#include <plurix/history/index.h>

#include <algorithm>

namespace plurix::history {
namespace {

constexpr std::uint64_t kNoWrite = ~std::uint64_t{0};

// The finalizer of splitmix64: every bit of the input reaches every bit of the result.
Word mixed(Word x) {
  x += 0x9e37'79b9'7f4a'7c15;
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
  return x ^ (x >> 31);
}

Effect effect_of_status(const Attempt& attempt, bool writes) {
  switch (attempt.status) {
    case Status::kCommitted:
      return writes ? Effect::kUpdate : Effect::kReader;
    case Status::kUnknown:
      return writes ? Effect::kMaybe : Effect::kNone;
    default:
      return Effect::kNone;
  }
}

}  // namespace

Word list_word(Word list, std::int64_t appended) {
  const Word next = mixed(mixed(list) ^ word_of(appended));
  return next == 0 ? 1 : next;  // 0 is the empty list
}

Word list_word(std::span<const std::int64_t> list) {
  Word word = 0;
  for (const std::int64_t element : list) word = list_word(word, element);
  return word;
}

// Per key, valid only where `owner` is the attempt being added, so that nothing has to be cleared
// between attempts.
struct Index::Own {
  struct PerKey {
    AttemptId owner = kNobody;
    std::uint32_t appends = 0;
    std::uint64_t last_write = kNoWrite;  // index into writes_
  };
  AttemptId attempt = kNobody;
  std::vector<PerKey> keys;
  std::vector<std::uint64_t>
      previous;  // for each write of this attempt: the one before it on the same key
  std::uint64_t first_write = 0;

  bool has(Key key) const { return keys[key].owner == attempt; }
};

Index::Index(const History& history) : history_(&history) {
  const std::size_t count = history.attempts.size();
  effects_.resize(count);
  read_begin_.reserve(count + 1);
  write_begin_.reserve(count + 1);
  Own own;
  for (AttemptId id = 0; id < count; ++id) {
    read_begin_.push_back(reads_.size());
    write_begin_.push_back(writes_.size());
    add_attempt(id, own);
    effects_[id] = effect_of_status(attempt(id), writes_.size() != write_begin_.back());
  }
  read_begin_.push_back(reads_.size());
  write_begin_.push_back(writes_.size());
  untimed_.resize(names_.size());
  ambiguous_.resize(names_.size());
}

void Index::add_attempt(AttemptId id, Own& own) {
  own.attempt = id;
  own.first_write = writes_.size();
  own.previous.clear();
  const auto& ops = attempt(id).ops;
  for (std::uint32_t op = 0; op < ops.size(); ++op) {
    const Key key = intern(ops[op].key);
    own.keys.resize(std::max<std::size_t>(own.keys.size(), names_.size()));
    note_kind(key, ops[op]);
    if (ops[op].kind == Operation::Kind::kRead) {
      add_read(id, op, key, own);
    } else {
      add_write(op, key, ops[op], own);
    }
  }
}

void Index::add_read(AttemptId id, std::uint32_t op, Key key, const Own& own) {
  const Value& seen = attempt(id).ops[op].value;
  const auto& mine = own.keys[key];
  if (own.has(key) && mine.appends == 0) {
    if (!(seen == Value::of(writes_[mine.last_write].number))) own_writes_lost_.push_back({id, op});
    return;
  }
  auto length = static_cast<std::uint32_t>(seen.list.size());
  if (own.has(key)) {
    for (auto write = mine.last_write; write != kNoWrite;
         write = own.previous[write - own.first_write]) {
      if (length == 0 || seen.list[length - 1] != writes_[write].number) {
        own_writes_lost_.push_back({id, op});
        return;
      }
      --length;
    }
  }
  const Word word = seen.is_list ? list_word({seen.list.data(), length}) : word_of(seen.number);
  reads_.push_back({key, op, length, word});
}

void Index::add_write(std::uint32_t op, Key key, const Operation& operation, Own& own) {
  auto& mine = own.keys[key];
  const bool again = own.has(key);
  if (!again) mine = {own.attempt, 0, kNoWrite};
  if (operation.kind == Operation::Kind::kWrite && again) {
    writes_[mine.last_write].op = op;
    writes_[mine.last_write].number = operation.value.number;
    return;
  }
  own.previous.push_back(mine.last_write);
  mine.last_write = writes_.size();
  mine.appends += operation.kind == Operation::Kind::kAppend;
  writes_.push_back({key, op, operation.value.number});
}

Key Index::intern(std::string_view name) {
  const auto [entry, is_new] = keys_.try_emplace(name, static_cast<Key>(names_.size()));
  if (is_new) {
    names_.push_back(name);
    kinds_.push_back(KeyKind::kUntouched);
  }
  return entry->second;
}

void Index::note_kind(Key key, const Operation& op) {
  const bool read = op.kind == Operation::Kind::kRead;
  if (read && op.value.is_initial()) return;
  const bool list = op.kind == Operation::Kind::kAppend || (read && op.value.is_list);
  const KeyKind used = list ? KeyKind::kList : KeyKind::kRegister;
  KeyKind& kind = kinds_[key];
  if (kind == KeyKind::kUntouched) kind = used;
  if (kind != used) kind = KeyKind::kMixed;
}

}  // namespace plurix::history

#include <plurix/history/timeline.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace plurix::history {
namespace {

struct Placed {
  std::uint32_t epoch;
  std::uint64_t commit_time;
  AttemptId attempt;
  bool maybe;

  auto order() const { return std::tuple(epoch, commit_time, maybe, attempt); }
};

// The updates in (epoch, commit time) order, without unknown outcomes whose commit time another
// update has taken.
std::vector<Placed> placed_updates(const Index& index) {
  std::vector<Placed> placed;
  for (AttemptId id = 0; id < index.size(); ++id) {
    const Effect effect = index.effect(id);
    if (effect != Effect::kUpdate && effect != Effect::kMaybe) continue;
    const Attempt& attempt = index.attempt(id);
    placed.push_back({attempt.epoch, attempt.commit_time, id, effect == Effect::kMaybe});
  }
  std::sort(placed.begin(), placed.end(),
            [](const Placed& a, const Placed& b) { return a.order() < b.order(); });
  const auto taken = [](const Placed& before, const Placed& maybe) {
    return maybe.maybe && before.epoch == maybe.epoch && before.commit_time == maybe.commit_time;
  };
  placed.erase(std::unique(placed.begin(), placed.end(), taken), placed.end());
  return placed;
}

}  // namespace

std::int64_t surely_done_ns(const Attempt& attempt) {
  return attempt.status == Status::kUnknown ? kNever : attempt.end_ns;
}

Timeline::Timeline(const Index& index) : index_(&index) {
  collect_epochs();
  place_commits();
  note_begins();
  write_versions();
  close_versions();
}

void Timeline::collect_epochs() {
  std::map<std::uint32_t, Epoch> found;
  for (const Attempt& attempt : index_->history().attempts) {
    if (found.empty() || found.rbegin()->first != attempt.epoch) found[attempt.epoch];
  }
  for (const Rollback& rollback : index_->history().rollbacks) {
    Epoch& epoch = found[rollback.epoch];
    const bool first = !epoch.rolled_back;
    epoch.rolled_back = true;
    epoch.start_time =
        first ? rollback.to_commit_time : std::min(epoch.start_time, rollback.to_commit_time);
  }
  for (auto& [number, epoch] : found) {
    epoch.number = number;
    epochs_.push_back(std::move(epoch));
  }
}

void Timeline::place_commits() {
  position_.resize(index_->size());
  at_.push_back(kNobody);
  const auto placed = placed_updates(*index_);
  auto next = placed.begin();
  for (std::size_t number = 0; number < epochs_.size(); ++number) {
    open_epoch(number, size() - 1);
    Epoch& epoch = epochs_[number];
    for (; next != placed.end() && next->epoch == epoch.number; ++next) {
      position_[next->attempt] = size();
      at_.push_back(next->attempt);
    }
    epoch.last = size() - 1;
    epoch.lineage.push_back({epoch.start, epoch.last});
  }
}

// Finds where the epoch leaves the past of the one before it, and inherits that past up to there.
void Timeline::open_epoch(std::size_t number, Position previous_last) {
  Epoch& epoch = epochs_[number];
  if (number == 0) return;
  const Epoch& before = epochs_[number - 1];
  epoch.cut = previous_last;
  if (epoch.rolled_back) {
    epoch.cut = snapshot(before.number, epoch.start_time);
  } else {
    epoch.start_time = std::max(before.start_time, time_at(previous_last));
  }
  epoch.start = size();
  at_.push_back(kNobody);
  for (const Piece& piece : before.lineage) {
    if (piece.first <= epoch.cut) {
      epoch.lineage.push_back({piece.first, std::min(piece.last, epoch.cut)});
    }
  }
}

std::uint64_t Timeline::time_at(Position position) const {
  return at_[position] == kNobody ? 0 : index_->attempt(at_[position]).commit_time;
}

std::size_t Timeline::epoch_index(std::uint32_t number) const {
  const auto found = std::lower_bound(
      epochs_.begin(), epochs_.end(), number,
      [](const Epoch& epoch, std::uint32_t wanted) { return epoch.number < wanted; });
  return static_cast<std::size_t>(found - epochs_.begin());
}

// The piece's first position is the state before its commits and has no time of its own.
Position Timeline::last_not_after(Piece piece, std::uint64_t commit_time) const {
  const auto begin = at_.begin() + piece.first + 1;
  const auto end = at_.begin() + piece.last + 1;
  const auto after = std::upper_bound(
      begin, end, commit_time,
      [this](std::uint64_t time, AttemptId id) { return time < index_->attempt(id).commit_time; });
  return static_cast<Position>(after - at_.begin()) - 1;
}

Position Timeline::snapshot(std::uint32_t epoch, std::uint64_t commit_time) const {
  std::size_t number = epoch_index(epoch);
  while (number > 0 && commit_time < epochs_[number].start_time) --number;
  return last_not_after({epochs_[number].start, epochs_[number].last}, commit_time);
}

Position Timeline::seen_by(AttemptId committed) const {
  if (index_->effect(committed) == Effect::kUpdate) return position_of(committed) - 1;
  const Attempt& attempt = index_->attempt(committed);
  return snapshot(attempt.epoch, attempt.commit_time);
}

const Epoch* Timeline::undone_by(AttemptId update) const {
  const Attempt& attempt = index_->attempt(update);
  for (auto number = epoch_index(attempt.epoch) + 1; number < epochs_.size(); ++number) {
    const Epoch& epoch = epochs_[number];
    if (epoch.rolled_back && attempt.commit_time > epoch.start_time) return &epoch;
  }
  return nullptr;
}

void Timeline::write_versions() {
  versions_.resize(index_->key_count());
  for (auto& versions : versions_) versions.push_back({});
  std::size_t epoch = 0;
  for (Position position = 1; position < size(); ++position) {
    const AttemptId writer = at_[position];
    if (writer == kNobody) {
      ++epoch;
      restore_versions(epochs_[epoch], epochs_[epoch - 1]);
      continue;
    }
    const bool maybe = index_->effect(writer) == Effect::kMaybe;
    for (const Write& write : index_->writes(writer)) {
      const bool list = index_->kind(write.key) == KeyKind::kList;
      if (maybe && list) continue;  // nobody saw the append
      const Word word =
          list ? list_word(versions_[write.key].back().word, write.number) : word_of(write.number);
      add_version({position, 0, writer, word, maybe}, write.key);
    }
  }
}

void Timeline::add_version(const Version& version, Key key) {
  auto& versions = versions_[key];
  if (versions.back().from == version.from && version.from != 0) {
    versions.back() = version;  // several appends of one attempt are seen as one
  } else {
    versions.push_back(version);
  }
}

void Timeline::restore_versions(const Epoch& epoch, const Epoch& before) {
  for (const Piece& piece : before.lineage) {
    for (Position position = std::max(piece.first, epoch.cut + 1); position <= piece.last;
         ++position) {
      if (at_[position] == kNobody) continue;
      for (const Write& write : index_->writes(at_[position])) restore_key(write.key, epoch);
    }
  }
}

// With every unknown outcome's version comes the sure one that may stand in its place.
void Timeline::restore_key(Key key, const Epoch& epoch) {
  auto& versions = versions_[key];
  if (versions.back().from == epoch.start) return;
  const auto last = static_cast<std::size_t>(&version_at(key, epoch.cut) - versions.data());
  auto first = last;
  while (versions[first].maybe) --first;
  for (auto i = first; i <= last; ++i) {
    Version restored = versions[i];
    restored.from = epoch.start;
    versions.push_back(restored);
  }
}

void Timeline::close_versions() {
  for (auto& versions : versions_) {
    Position until = size() - 1;
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
      version->until = until;
      if (!version->maybe) until = version->from - 1;
    }
  }
}

const Version& Timeline::version_at(Key key, Position position) const {
  const auto& versions = versions_[key];
  const auto after = std::upper_bound(
      versions.begin(), versions.end(), position,
      [](Position wanted, const Version& version) { return wanted < version.from; });
  return *std::prev(after);
}

bool Timeline::holds(Key key, Position position, Word word) const {
  const Version* version = &version_at(key, position);
  while (version->maybe && version->word != word)
    --version;  // the first version of a key is none of these
  return version->word == word;
}

// A commit's past is the position before it; an epoch's past is where it left the epoch before.
void Timeline::note_begins() {
  latest_begin_.resize(size(), -1);
  std::size_t epoch = 0;
  for (Position position = 1; position < size(); ++position) {
    const AttemptId id = at_[position];
    if (id == kNobody) {
      latest_begin_[position] = latest_begin_[epochs_[++epoch].cut];
      continue;
    }
    const bool sure = index_->effect(id) == Effect::kUpdate;
    latest_begin_[position] =
        std::max(latest_begin_[position - 1], sure ? index_->attempt(id).begin_ns : -1);
  }
}

AttemptId Timeline::latest_beginner(Position position) const {
  for (;;) {
    const AttemptId id = at_[position];
    if (id != kNobody && index_->attempt(id).begin_ns == latest_begin_[position]) return id;
    if (position == 0) return kNobody;
    const auto starts = [position](const Epoch& epoch) { return epoch.start == position; };
    const auto epoch = std::find_if(epochs_.begin() + 1, epochs_.end(), starts);
    position = epoch == epochs_.end() ? position - 1 : epoch->cut;
  }
}

Position Timeline::newest_before(const Epoch& epoch, std::int64_t end_ns) const {
  Position newest = 0;
  for (auto piece = epoch.lineage.rbegin(); piece != epoch.lineage.rend(); ++piece) {
    const auto begin = latest_begin_.begin() + piece->first;
    const auto end = latest_begin_.begin() + piece->last + 1;
    const auto after = std::upper_bound(begin, end, end_ns);
    if (after == begin) continue;
    newest = static_cast<Position>(after - latest_begin_.begin()) - 1;
    break;
  }
  return newest;
}

}  // namespace plurix::history

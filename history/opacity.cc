#include <plurix/history/opacity.h>

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include <plurix/history/explain.h>

namespace plurix::history {
namespace {

constexpr auto kName = "opacity";

// For each key its versions by value, so that "when did it last hold this" is one binary search.
class ValueIndex {
 public:
  explicit ValueIndex(const Timeline& timeline) : by_value_(timeline.index().key_count()) {
    for (Key key = 0; key < by_value_.size(); ++key) {
      for (const Version& version : timeline.versions(key)) {
        by_value_[key].push_back({version.word, version.from, version.until});
      }
      std::sort(by_value_[key].begin(), by_value_[key].end());
    }
  }

  // The newest position up to `position` at which the key held the value.
  std::optional<Position> newest(Key key, Word word, Position position) const {
    const auto& entries = by_value_[key];
    const Entry wanted{word, position, ~Position{0}};
    const auto after = std::upper_bound(entries.begin(), entries.end(), wanted);
    if (after == entries.begin() || std::prev(after)->word != word) return std::nullopt;
    return std::min(position, std::prev(after)->until);
  }

 private:
  struct Entry {
    Word word;
    Position from;
    Position until;

    friend auto operator<=>(const Entry&, const Entry&) = default;
  };
  std::vector<std::vector<Entry>> by_value_;
};

// The newest position up to `position` in the epoch's past; 0 is in every past.
Position into_lineage(const Epoch& epoch, Position position) {
  for (auto piece = epoch.lineage.rbegin(); piece != epoch.lineage.rend(); ++piece) {
    if (piece->first <= position) return std::min(position, piece->last);
  }
  return 0;
}

class Snapshots {
 public:
  explicit Snapshots(const Timeline& timeline) : timeline_(timeline), values_(timeline) {}

  // The newest snapshot that all these reads fit.
  std::optional<Position> common(AttemptId id, std::span<const OutsideRead> reads) const {
    const Epoch& epoch = timeline_.epoch_of(id);
    Position position = timeline_.newest_before(epoch, timeline_.index().attempt(id).end_ns);
    for (;;) {
      const auto back = step_back(epoch, position, reads);
      if (!back || *back == position) return back;
      position = *back;
    }
  }

 private:
  std::optional<Position> step_back(const Epoch& epoch, Position position,
                                    std::span<const OutsideRead> reads) const {
    for (const OutsideRead& read : reads) {
      if (!timeline_.index().judged(read.key)) continue;
      const auto held = values_.newest(read.key, read.word, position);
      if (!held) return std::nullopt;
      position = into_lineage(epoch, *held);
    }
    return position;
  }

  const Timeline& timeline_;
  ValueIndex values_;
};

bool all_hold(const Timeline& timeline, AttemptId id, Position position) {
  const auto reads = timeline.index().reads(id);
  return std::all_of(reads.begin(), reads.end(), [&](const OutsideRead& read) {
    return !timeline.index().judged(read.key) || timeline.holds(read.key, position, read.word);
  });
}

// Most attempts fit where they committed, or, if they did not, the newest state they can have
// known.
bool fits_at_once(const Timeline& timeline, AttemptId id) {
  const Effect effect = timeline.index().effect(id);
  const bool placed = effect == Effect::kUpdate || effect == Effect::kReader;
  const std::int64_t end_ns = timeline.index().attempt(id).end_ns;
  const Position position =
      placed ? timeline.seen_by(id) : timeline.newest_before(timeline.epoch_of(id), end_ns);
  return timeline.latest_begin(position) <= end_ns && all_hold(timeline, id, position);
}

// One read that fits no snapshot, else two that share none, else all of them.
std::vector<OutsideRead> smallest_conflict(const Snapshots& snapshots, AttemptId id,
                                           std::span<const OutsideRead> reads) {
  for (const OutsideRead& read : reads) {
    if (!snapshots.common(id, {&read, 1})) return {read};
  }
  for (const OutsideRead& a : reads) {
    for (const OutsideRead& b : reads) {
      const std::vector<OutsideRead> pair{a, b};
      if (a.op < b.op && !snapshots.common(id, pair)) return pair;
    }
  }
  return {reads.begin(), reads.end()};
}

Violation explain(const Timeline& timeline, const Snapshots& snapshots, AttemptId id) {
  const Index& index = timeline.index();
  const auto conflict = smallest_conflict(snapshots, id, index.reads(id));
  Violation violation{kName, name_of(index.attempt(id)), {id}};
  if (conflict.size() == 1) {
    violation.words += " read " + read_text(index, id, conflict[0]) +
                       ", which no snapshot that it could know contains";
  } else {
    violation.words += " read values that no one snapshot contains";
    for (const auto& read : conflict)
      violation.words += (&read == &conflict[0] ? ": " : " and ") + read_text(index, id, read);
  }
  for (const auto& read : conflict) {
    violation.words += "; " + origin_of(timeline, id, read, violation);
  }
  return violation;
}

}  // namespace

Findings check_opacity(const Timeline& timeline, std::size_t limit) {
  Findings findings(limit);
  const Index& index = timeline.index();
  for (const OwnWriteLost& lost : index.own_writes_lost()) {
    findings.add([&] { return own_write_violation(index, kName, lost); });
  }
  std::optional<Snapshots> snapshots;
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (index.effect(id) == Effect::kSuperseded || fits_at_once(timeline, id)) continue;
    if (!snapshots) snapshots.emplace(timeline);
    if (snapshots->common(id, index.reads(id))) continue;
    findings.add([&] { return explain(timeline, *snapshots, id); });
  }
  return findings;
}

}  // namespace plurix::history

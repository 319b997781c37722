#include <plurix/history/real_time.h>

#include <algorithm>
#include <string>
#include <vector>

namespace plurix::history {
namespace {

constexpr auto kName = "real_time";

std::string milliseconds(std::int64_t ns) {
  return std::to_string(ns / 1'000'000) + "." +
         std::to_string(1'000'000 + ns % 1'000'000).substr(1) + " ms";
}

std::string ended_before(const Index& index, AttemptId first, AttemptId second) {
  const Attempt& a = index.attempt(first);
  const Attempt& b = index.attempt(second);
  return name_of(a) + " had ended " + milliseconds(b.begin_ns - a.end_ns) + " before " +
         name_of(b) + " began";
}

void check_updates(const Timeline& timeline, Findings& findings) {
  const Index& index = timeline.index();
  for (Position position = 1; position < timeline.size(); ++position) {
    const AttemptId late = timeline.at(position);
    if (late == kNobody || index.effect(late) != Effect::kUpdate) continue;
    if (timeline.latest_begin(position) <= surely_done_ns(index.attempt(late))) continue;
    findings.add([&] {
      const AttemptId early = timeline.latest_beginner(position);
      return Violation{
          kName,
          ended_before(index, late, early) + ", and yet comes after it in the order of commits",
          {late, early}};
    });
  }
}

void check_future(const Timeline& timeline, AttemptId reader, Findings& findings) {
  const Index& index = timeline.index();
  const Position snapshot = timeline.seen_by(reader);
  if (timeline.latest_begin(snapshot) <= index.attempt(reader).end_ns) return;
  findings.add([&] {
    const AttemptId future = timeline.latest_beginner(snapshot);
    return Violation{kName,
                     ended_before(index, reader, future) +
                         ", and yet its snapshot contains that update: a snapshot of the future",
                     {reader, future}};
  });
}

// For every position the update from there to the end of its epoch that ended first; for every
// epoch the same of all later epochs.
class EarliestEnds {
 public:
  explicit EarliestEnds(const Timeline& timeline)
      : timeline_(timeline), from_(timeline.size(), kNobody) {
    const auto& epochs = timeline.epochs();
    later_.resize(epochs.size() + 1, kNobody);
    for (auto number = epochs.size(); number-- > 0;) {
      AttemptId best = kNobody;
      for (Position position = epochs[number].last + 1; position-- > epochs[number].start;) {
        best = earlier(best, sure(timeline.at(position)));
        from_[position] = best;
      }
      later_[number] = earlier(later_[number + 1], best);
    }
  }

  // The update that ended first among those that the epoch's newest state has and `position` has
  // not, and all of later epochs. kNobody if there is none.
  AttemptId missing_at(const Epoch& epoch, Position position) const {
    AttemptId best = later_[static_cast<std::size_t>(&epoch - timeline_.epochs().data()) + 1];
    for (auto piece = epoch.lineage.rbegin(); piece != epoch.lineage.rend(); ++piece) {
      if (piece->last <= position) break;
      best = earlier(best, first_ended(std::max(piece->first, position + 1), *piece, epoch));
    }
    return best;
  }

 private:
  AttemptId sure(AttemptId id) const {
    const bool update = id != kNobody && timeline_.index().effect(id) == Effect::kUpdate;
    return update ? id : kNobody;
  }

  AttemptId earlier(AttemptId a, AttemptId b) const {
    if (a == kNobody || b == kNobody) return a == kNobody ? b : a;
    const Index& index = timeline_.index();
    return surely_done_ns(index.attempt(b)) < surely_done_ns(index.attempt(a)) ? b : a;
  }

  AttemptId first_ended(Position first, Piece piece, const Epoch& epoch) const {
    if (piece.last == epoch.last) return from_[first];
    AttemptId best = kNobody;  // the piece was cut: its minima reach too far
    for (Position position = first; position <= piece.last; ++position) {
      best = earlier(best, sure(timeline_.at(position)));
    }
    return best;
  }

  const Timeline& timeline_;
  std::vector<AttemptId> from_;
  std::vector<AttemptId> later_;
};

void check_freshness(const Timeline& timeline, const EarliestEnds& ends, AttemptId reader,
                     Findings& findings) {
  const Index& index = timeline.index();
  const AttemptId missing = ends.missing_at(timeline.epoch_of(reader), timeline.seen_by(reader));
  if (missing == kNobody) return;
  if (surely_done_ns(index.attempt(missing)) >= index.attempt(reader).begin_ns) return;
  findings.add([&] {
    return Violation{
        kName,
        ended_before(index, missing, reader) +
            ", which asked for strict freshness, and yet its snapshot does not contain that update",
        {reader, missing}};
  });
}

}  // namespace

Findings check_real_time(const Timeline& timeline, std::size_t limit) {
  Findings findings(limit);
  const Index& index = timeline.index();
  const EarliestEnds ends(timeline);
  check_updates(timeline, findings);
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (index.effect(id) != Effect::kReader) continue;
    check_future(timeline, id, findings);
    if (index.attempt(id).strict) check_freshness(timeline, ends, id, findings);
  }
  return findings;
}

}  // namespace plurix::history

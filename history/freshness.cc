#include <plurix/history/freshness.h>

#include <algorithm>
#include <string>
#include <vector>

namespace plurix::history {
namespace {

constexpr auto kName = "freshness";

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

void check_reader(const Timeline& timeline, const EarliestEnds& ends, AttemptId reader,
                  Findings& findings) {
  const Index& index = timeline.index();
  const AttemptId missing = ends.missing_at(timeline.epoch_of(reader), timeline.seen_by(reader));
  if (missing == kNobody) return;
  if (surely_done_ns(index.attempt(missing)) >= index.attempt(reader).begin_ns) return;
  findings.add([&] {
    return Violation{
        kName,
        ended_before(index.attempt(missing), index.attempt(reader)) +
            ", which asked for strict freshness, and yet its snapshot does not contain that update",
        {reader, missing}};
  });
}

}  // namespace

Findings check_freshness(const Timeline& timeline, std::size_t limit) {
  Findings findings(limit);
  const Index& index = timeline.index();
  const EarliestEnds ends(timeline);
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (index.effect(id) != Effect::kReader || !index.attempt(id).strict) continue;
    check_reader(timeline, ends, id, findings);
  }
  return findings;
}

}  // namespace plurix::history

#include <plurix/history/commit_order.h>

#include <plurix/history/explain.h>

namespace plurix::history {
namespace {

constexpr auto kName = "commit_order";

bool committed(Effect effect) { return effect == Effect::kUpdate || effect == Effect::kReader; }

Violation same_time(const Index& index, AttemptId a, AttemptId b) {
  return {kName,
          name_of(index.attempt(a)) + " and " + name_of(index.attempt(b)) +
              " have the same commit time; every update must have its own",
          {a, b}};
}

void check_unique_times(const Timeline& timeline, Findings& findings) {
  const Index& index = timeline.index();
  for (Position position = 1; position < timeline.size(); ++position) {
    const AttemptId a = timeline.at(position - 1);
    const AttemptId b = timeline.at(position);
    if (a == kNobody || b == kNobody) continue;
    if (index.attempt(a).commit_time != index.attempt(b).commit_time) continue;
    findings.add([&] { return same_time(index, a, b); });
  }
}

void check_reads(const Timeline& timeline, AttemptId id, Findings& findings) {
  const Index& index = timeline.index();
  const Position position = timeline.seen_by(id);
  for (const OutsideRead& read : index.reads(id)) {
    if (!index.judged(read.key) || timeline.holds(read.key, position, read.word)) continue;
    findings.add([&] {
      Violation violation{kName, "", {id}};
      explain_read(timeline, id, read, position, violation);
      return violation;
    });
  }
}

}  // namespace

Findings check_commit_order(const Timeline& timeline, std::size_t limit) {
  Findings findings(limit);
  const Index& index = timeline.index();
  check_unique_times(timeline, findings);
  for (const OwnWriteLost& lost : index.own_writes_lost()) {
    if (!committed(index.effect(lost.attempt))) continue;
    findings.add([&] { return own_write_violation(index, kName, lost); });
  }
  for (Position position = 1; position < timeline.size(); ++position) {
    const AttemptId id = timeline.at(position);
    if (id != kNobody && index.effect(id) == Effect::kUpdate) check_reads(timeline, id, findings);
  }
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (index.effect(id) == Effect::kReader) check_reads(timeline, id, findings);
  }
  return findings;
}

}  // namespace plurix::history

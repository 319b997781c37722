#include <plurix/history/real_time.h>

namespace plurix::history {
namespace {

constexpr auto kName = "real_time";

void check_updates(const Timeline& timeline, Findings& findings) {
  const Index& index = timeline.index();
  for (Position position = 1; position < timeline.size(); ++position) {
    const AttemptId late = timeline.at(position);
    if (late == kNobody || index.effect(late) != Effect::kUpdate) continue;
    if (timeline.latest_begin(position) <= surely_done_ns(index.attempt(late))) continue;
    findings.add([&] {
      const AttemptId early = timeline.latest_beginner(position);
      return Violation{kName,
                       ended_before(index.attempt(late), index.attempt(early)) +
                           ", and yet comes after it in the order of commits",
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
                     ended_before(index.attempt(reader), index.attempt(future)) +
                         ", and yet its snapshot contains that update: a snapshot of the future",
                     {reader, future}};
  });
}

}  // namespace

Findings check_real_time(const Timeline& timeline, std::size_t limit) {
  Findings findings(limit);
  const Index& index = timeline.index();
  check_updates(timeline, findings);
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (index.effect(id) != Effect::kReader) continue;
    check_future(timeline, id, findings);
  }
  return findings;
}

}  // namespace plurix::history

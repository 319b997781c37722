#include <plurix/history/rollback.h>

#include <map>
#include <string>

namespace plurix::history {
namespace {

std::string start_text(const Epoch& epoch) {
  return "epoch " + std::to_string(epoch.number) + " started from commit time " +
         std::to_string(epoch.start_time);
}

void check_lines_agree(const History& history, Findings& findings) {
  std::map<std::uint32_t, std::uint64_t> starts;
  for (const Rollback& rollback : history.rollbacks) {
    const auto [entry, is_new] = starts.emplace(rollback.epoch, rollback.to_commit_time);
    if (is_new || entry->second == rollback.to_commit_time) continue;
    findings.add([&] {
      return Violation{"rollback",
                       "epoch " + std::to_string(rollback.epoch) +
                           " started twice: from commit time " + std::to_string(entry->second) +
                           " and from " + std::to_string(rollback.to_commit_time),
                       {}};
    });
  }
}

void check_after_start(const Timeline& timeline, AttemptId id, Findings& findings) {
  const Attempt& attempt = timeline.index().attempt(id);
  const Epoch& epoch = timeline.epoch_of(id);
  const bool first = &epoch == &timeline.epochs().front() && !epoch.rolled_back;
  if (first || attempt.commit_time > epoch.start_time) return;
  findings.add([&] {
    return Violation{
        "rollback",
        name_of(attempt) + " committed at a time that was already past: " + start_text(epoch),
        {id}};
  });
}

void check_durable(const Timeline& timeline, AttemptId id, Findings& findings) {
  const Attempt& attempt = timeline.index().attempt(id);
  if (!attempt.durable) return;
  const Epoch* epoch = timeline.undone_by(id);
  if (epoch == nullptr) return;
  findings.add([&] {
    return Violation{"durable_undone",
                     name_of(attempt) +
                         " was acknowledged as durable, and yet was undone: " + start_text(*epoch),
                     {id}};
  });
}

}  // namespace

Findings check_rollback(const Timeline& timeline, std::size_t limit) {
  Findings findings(limit);
  const Index& index = timeline.index();
  check_lines_agree(index.history(), findings);
  for (AttemptId id = 0; id < index.size(); ++id) {
    if (index.effect(id) != Effect::kUpdate) continue;
    check_after_start(timeline, id, findings);
    check_durable(timeline, id, findings);
  }
  return findings;
}

}  // namespace plurix::history

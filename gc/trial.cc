#include <plurix/gc/trial.h>
#include <plurix/transaction.h>

namespace plurix::gc {
namespace {

using heap::Offset;
using heap::Tag;

Tag tag_of(Transaction& t, Offset header) { return Tag(t.load(header + heap::kTagAt)); }

bool is_weak(Transaction& t, Offset slot) {
  return (t.load(slot + heap::kTargetAt) & heap::kWeak) != 0;
}

Trial::Stage stage_after(const Trial::Progress& progress) noexcept {
  using Stage = Trial::Stage;
  switch (progress.stage) {
    case Stage::kCondemn:
      return Stage::kVerify;
    case Stage::kVerify:
      return Stage::kCheck;
    case Stage::kCheck:
      return progress.weak_outside ? Stage::kCutOff : Stage::kFree;
    case Stage::kCutOff:
      return Stage::kCheckAgain;
    case Stage::kCheckAgain:
      return Stage::kFree;
    case Stage::kFree:
      return Stage::kFreeCandidate;
    default:
      return Stage::kNone;
  }
}

}  // namespace

void Trial::begin(Offset header, Progress& progress) noexcept {
  met_.clear();
  overflow_.clear();
  queued_ = 0;
  looking_at_ = 0;
  meet(header);
  progress = {.stage = Stage::kSearch, .candidate = header};
}

Trial::Result Trial::go_on(Transaction& t, Progress& progress, ObjectSet* alive, Work& work) {
  while (progress.stage != Stage::kNone) {
    if (progress.stage == Stage::kSpread) {
      const bool over = alive == nullptr || spread(t, *alive, work) == Step::kDone;
      return over ? Result::kAlive : Result::kMore;
    }
    const bool searching = progress.stage == Stage::kSearch;
    const auto step = carry_on(t, progress, alive, work);
    if (step == Step::kUsedUp) return Result::kMore;
    if (step == Step::kRoot) {
      if (alive == nullptr) return Result::kAlive;
      begin_spreading(*alive);
      progress.stage = Stage::kSpread;
      continue;
    }
    if (step == Step::kChanged) return Result::kFailed;
    progress.next = 0;
    progress.stage = searching ? Stage::kCondemn : stage_after(progress);
  }
  return Result::kFreed;
}

Trial::Step Trial::carry_on(Transaction& t, Progress& progress, const ObjectSet* alive,
                            Work& work) {
  if (progress.stage == Stage::kSearch) return search(t, alive, work);
  if (progress.stage == Stage::kFreeCandidate) return free(t, progress.candidate, work);
  return sweep(t, progress, work);
}

// ---- the search. What it has met stays met when its transaction is aborted: an attempt sees one
// snapshot to its end, so what it has read was committed.

void Trial::meet(Offset header) noexcept {
  if (met_.insert(header)) enqueue(header);
}

void Trial::enqueue(Offset header) noexcept {
  if (queued_ == kQueued) {
    overflow_.insert(header);
    return;
  }
  queue_[(first_ + queued_++) % kQueued] = header;
}

/// What is looked at next; 0 if everything was.
Offset Trial::choose() noexcept {
  if (queued_ == 0) {
    const auto header = overflow_.next(0);
    if (header != 0) overflow_.erase(header);
    return header;
  }
  --queued_;
  turn_ = !turn_;
  if (!turn_) return queue_[(first_ + queued_) % kQueued];
  const auto header = queue_[first_];
  first_ = (first_ + 1) % kQueued;
  return header;
}

Trial::Step Trial::search(Transaction& t, const ObjectSet* alive, Work& work) {
  while (work.left()) {
    if (looking_at_ == 0) {
      looking_at_ = choose();
      looking_ = {};
      if (looking_at_ == 0) return Step::kDone;
    }
    work.spend(2);
    if (!containers_.is_object(t, looking_at_)) return Step::kChanged;
    heap::ChainWalk walk(t, looking_at_, looking_);
    while (const auto slot = walk.next()) {
      work.spend(2);
      if (const auto step = look_at_entry(t, slot, alive); step != Step::kDone) return step;
      if (work.left() || walk.position().at == 0) continue;
      looking_ = walk.position();
      return Step::kUsedUp;
    }
    looking_at_ = 0;
  }
  return Step::kUsedUp;
}

Trial::Step Trial::look_at_entry(Transaction& t, Offset slot, const ObjectSet* alive) {
  if (is_weak(t, slot)) return Step::kDone;
  const auto around = containers_.around(t, slot);
  if (around == 0 || tag_of(t, around).has(Tag::kPinned)) return Step::kRoot;
  if (alive != nullptr && alive->contains(around)) return Step::kRoot;
  meet(around);
  return Step::kDone;
}

// ---- a root leads to what was looked at last; so what that leads to is alive too

void Trial::begin_spreading(ObjectSet& alive) noexcept {
  queued_ = 0;
  overflow_.clear();
  alive.insert(looking_at_);
  enqueue(looking_at_);
  looking_at_ = 0;
}

Trial::Step Trial::spread(Transaction& t, ObjectSet& alive, Work& work) {
  while (work.left()) {
    if (looking_at_ == 0) looking_at_ = choose();
    if (looking_at_ == 0) return Step::kDone;
    if (containers_.is_object(t, looking_at_)) spread_from(t, looking_at_, alive, work);
    looking_at_ = 0;
  }
  return Step::kUsedUp;
}

/// Through objects with few links only: a table may lead to much more than was met.
void Trial::spread_from(Transaction& t, Offset header, ObjectSet& alive, Work& work) {
  constexpr std::uint64_t kFewElements = 64;
  heap::LinkWalk links(t, header);
  if (links.elements_left() > kFewElements) return;
  work.spend(2);
  while (const auto slot = links.next()) {
    const auto word = t.load(slot + heap::kTargetAt);
    if (word == 0 || (word & heap::kWeak) != 0) continue;
    work.spend(2);
    const auto target = heap::header_of(t, word & ~heap::kTargetFlags);
    if (met_.contains(target) && alive.insert(target)) enqueue(target);
  }
}

// ---- the other stages go through the set from the first place to the last

Trial::Step Trial::sweep(Transaction& t, Progress& progress, Work& work) {
  if (mutated("condemned_not_checked_again") &&
      (progress.stage == Stage::kCheck || progress.stage == Stage::kCheckAgain)) {
    return Step::kDone;
  }
  while (work.left()) {
    const auto header = met_.next(progress.next);
    if (header == 0) return Step::kDone;
    if (header != progress.next) progress.chain = {};
    progress.next = header;
    work.spend(1);
    const auto step = treat(t, header, progress, work);
    if (step != Step::kDone) return step;
    progress.next = header + heap::kGranule;
    progress.chain = {};
  }
  return Step::kUsedUp;
}

Trial::Step Trial::treat(Transaction& t, Offset header, Progress& progress, Work& work) {
  switch (progress.stage) {
    case Stage::kCondemn:
      return condemn(t, header, work);
    case Stage::kVerify:
      return verify(t, header, progress, work);
    case Stage::kCheck:
    case Stage::kCheckAgain:
      return is_condemned(t, header) ? Step::kDone : Step::kChanged;
    case Stage::kCutOff:
      return cut_off(t, header, progress, work);
    default:
      if (header == progress.candidate && !mutated("candidate_freed_first")) return Step::kDone;
      return free(t, header, work);
  }
}

bool Trial::is_condemned(Transaction& t, Offset header) {
  return containers_.is_object(t, header) && tag_of(t, header).condemner() == t.node_id();
}

/// A mark of another node is replaced: it will notice, and try again later.
Trial::Step Trial::condemn(Transaction& t, Offset header, Work& work) {
  if (!containers_.is_object(t, header)) return Step::kChanged;
  const auto tag = tag_of(t, header);
  if (tag.has(Tag::kPinned)) return Step::kChanged;
  if (tag.condemner() == t.node_id()) return Step::kDone;
  work.write(page_of(header));
  t.store(header + heap::kTagAt, tag.condemned_by(t.node_id()).word());
  return Step::kDone;
}

Trial::Step Trial::verify(Transaction& t, Offset header, Progress& progress, Work& work) {
  if (!is_condemned(t, header)) return Step::kChanged;
  heap::ChainWalk walk(t, header, progress.chain);
  while (const auto slot = walk.next()) {
    work.spend(2);
    if (is_weak(t, slot)) {
      progress.weak_outside = progress.weak_outside || is_weak_from_outside(t, slot);
    } else if (const auto around = containers_.around(t, slot);
               around == 0 || !met_.contains(around)) {
      return Step::kChanged;
    }
    if (work.left() || walk.position().at == 0) continue;
    progress.chain = walk.position();
    return Step::kUsedUp;
  }
  return Step::kDone;
}

/// Not one of the queues' entries.
bool Trial::is_weak_from_outside(Transaction& t, Offset slot) {
  if ((t.load(slot + heap::kTargetAt) & heap::kOfCollector) != 0) return false;
  const auto around = containers_.around(t, slot);
  return around == 0 || !met_.contains(around);
}

Trial::Step Trial::cut_off(Transaction& t, Offset header, Progress& progress, Work& work) {
  if (!is_condemned(t, header)) return Step::kChanged;
  heap::ChainWalk walk(t, header, progress.chain);
  while (const auto slot = walk.next()) {
    work.spend(2);
    if (is_weak(t, slot) && is_weak_from_outside(t, slot)) {
      work.write(page_of(slot));
      write_without(t, slot, work);
      heap::remove_link(t, slot);
    }
    if (work.left() || walk.position().at == 0) continue;
    progress.chain = walk.position();
    return Step::kUsedUp;
  }
  return Step::kDone;
}

Trial::Step Trial::free(Transaction& t, Offset header, Work& work) {
  if (!is_condemned(t, header)) {
    // Another node has condemned it too. It has lost links without being told of, so it is queued:
    // whatever that node decides, it is not forgotten.
    if (containers_.is_object(t, header)) reaper_.queue(t, header, work);
    return Step::kDone;
  }
  const Doomed doomed{[](const void* self, Offset other) {
                        return static_cast<const ObjectSet*>(self)->contains(other);
                      },
                      &met_};
  return reaper_.free(t, header, doomed, work) ? Step::kDone : Step::kUsedUp;
}

}  // namespace plurix::gc

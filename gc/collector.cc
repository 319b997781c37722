#include <plurix/gc/collector.h>
#include <plurix/heap/candidates.h>
#include <plurix/transaction.h>

#include <bit>

namespace plurix::gc {
namespace {

using heap::Offset;
using heap::Tag;

constexpr std::uint32_t kMostRest = 256;
constexpr std::uint32_t kTidyAtOnce = 128;  ///< entries of the page map
constexpr std::uint32_t kPagesAtOnce = 64;  ///< entries of the page map, when sweeping
constexpr std::uint32_t kTidyUnits = 8;     ///< an entry: its page is read

Tag tag_of(Transaction& t, Offset header) { return Tag(t.load(header + heap::kTagAt)); }

/// A page that has objects: not free, not of a large object, not waiting in a run.
bool has_objects(Transaction& t, PageIndex page) {
  const auto entry = heap::page_entry(t, page);
  if (entry.use != heap::PageUse::kSmall) return false;
  const auto at = heap::state_of(t, entry.node);
  if (at == 0) return false;
  const auto& own = t.reading<heap::NodeState>(at)->of[static_cast<std::size_t>(entry.placement)];
  if (page >= own.run_next && page < own.run_end) return false;
  return t.reading<heap::PageHeader>(heap::offset_of(page))->objects > 0;
}

}  // namespace

bool Collector::step(Transaction& t, Occasion occasion, const Members& members, Epoch epoch,
                     const Budget& budget) {
  Work work(budget);
  members_ = members;
  begin_step(epoch, budget);
  const bool trial_first = now_.trials_turn;
  now_.trials_turn = !trial_first;
  bool more = trial_first && work_on_trial(t, work);
  if (!more) more = work_on(t, occasion, work);
  reaper_.queue_the_rest(t, work);
  reaper_.finish(t);
  now_.counters.work += work.spent();
  if (reaper_.freed() != 0) {
    now_.counters.freed += reaper_.freed();
    now_.untidy = t.pages();
    more = more || occasion == Occasion::kIdle;
  }
  t.on_commit([this] { kept_ = now_; });
  return more;
}

void Collector::begin_step(Epoch epoch, const Budget& budget) {
  now_ = kept_;
  stuck_ = false;
  searched_ = false;
  containers_.forget();
  reaper_.begin(budget);
  if (now_.epoch == epoch) return;
  // Perhaps the heap is an older one again: nothing that was found out holds.
  now_.trial = {};
  now_.trial_slot = 0;
  now_.scan = {};
  now_.started = false;  // and if it is not: a trial may have been in the middle of freeing
  now_.epoch = epoch;
  now_.members = 0;
  now_.adopted = 0;
}

/// True if there may be more to do.
bool Collector::work_on(Transaction& t, Occasion occasion, Work& work) {
  for (;;) {
    reaper_.free_fallen(t, work);
    if (stuck_ || !work.left()) return true;
    if (const auto header = reaper_.take_suspect(t); header != 0) {
      ++now_.counters.candidates;
      examine(t, header, Origin::kQueue, work);
    } else if (now_.scan.page != kNoPage) {
      go_on_scanning(t, work);
    } else if (!start_something(t, occasion, work)) {
      break;
    }
  }
  reaper_.finish(t);  // or a trial would meet the dead
  // Also if this was its last step.
  const bool rests = now_.rest > 0 && !mutated("trial_forgets_its_rest");
  return work_on_trial(t, work) || rests || now_.trial.stage != Trial::Stage::kNone;
}

/// Takes up the next thing there is to look at; false if there is none.
bool Collector::start_something(Transaction& t, Occasion occasion, Work& work) {
  work.spend(2);
  if (const auto [body, lost_again] = heap::take_candidate(t); body != 0) {
    const auto header = heap::header_of(t, body);
    if (lost_again) forget_alive();
    ++now_.counters.candidates;
    work.spend(4);
    work.write(page_of(header));
    examine(t, header, Origin::kQueue, work);
    return true;
  }
  if (mutated("new_objects_not_looked_at")) return false;
  if (scan_a_filled_page(t)) return true;
  if (now_.sweep.on) {
    go_on_sweeping(t, work);
    return true;
  }
  if (adopt(t, work) || needs_sweep(t)) return true;
  return occasion == Occasion::kIdle && (scan_a_cursors_page(t) || tidy(t, work));
}

// ---- one object

/// What is new may be on the way to be linked: it is garbage from the end of the transaction that
/// has made it. If it stands in a queue, its turn comes.
void Collector::examine(Transaction& t, Offset header, Origin origin, Work& work) {
  const auto tag = tag_of(t, header);
  if (tag.has(Tag::kPinned)) return;
  if (origin == Origin::kNew && tag.has(Tag::kCandidate)) return;
  work.spend(2);
  if (!heap::is_linked(t, header)) return free_alone(t, header, work);
  search(t, header, origin, work);
}

void Collector::free_alone(Transaction& t, Offset header, Work& work) {
  if (!reaper_.free(t, header, {}, work)) reaper_.queue(t, header, work);
}

void Collector::search(Transaction& t, Offset header, Origin origin, Work& work) {
  const bool first = std::exchange(searched_, true) == false;
  if (reaper_.has_queued()) forget_alive();
  // A node that is gone may have entered it after this one has found something alive.
  auto* known = origin == Origin::kAdopted ? nullptr : &alive_;
  const auto finding = detector_.examine(t, header, known, work);
  if (finding == Finding::kAlive) {
    ++now_.counters.alive;
    return;
  }
  if (finding == Finding::kGarbage && free_members(t, work)) return;
  if (first) return suspend(t, header, work);  // a whole transaction was not enough
  stuck_ = true;
  if (origin != Origin::kNew) return reaper_.put_back(t, header, work);
  now_.scan.at = header;
}

/// Frees all that the search has met, if this transaction can do that: all or nothing, because weak
/// links to them are cleared with it.
bool Collector::free_members(Transaction& t, Work& work) {
  if (free_closed_members(t, work)) {
    ++now_.counters.cycles;
    return true;
  }
  const Doomed doomed{[](const void* self, Offset other) {
                        return static_cast<const CycleDetector*>(self)->is_member(other);
                      },
                      &detector_};
  if (!announce_members(t, doomed, work)) return false;
  const bool weak = detector_.has_met_weak_links();
  for (std::size_t i = 0; i < detector_.member_count(); ++i) {
    reaper_.free_announced(t, detector_.member(i), doomed, weak, work);
  }
  ++now_.counters.cycles;
  return true;
}

/// Whatever leads to a member is a member. So if there are as many links in them as lead to them,
/// none leads to anything else, and none need be looked up.
bool Collector::free_closed_members(Transaction& t, Work& work) {
  if (detector_.has_met_weak_links()) return false;
  const auto count = detector_.member_count();
  std::size_t links = 0;
  Work plan = work;
  for (std::size_t i = 0; i < count; ++i) {
    const auto more = reaper_.count_links(t, detector_.member(i), plan);
    if (more == Reaper::kMany || !plan.left()) return false;
    links += more;
  }
  if (links != detector_.met_links() && !mutated("group_taken_for_closed")) return false;
  for (std::size_t i = 0; i < count; ++i) reaper_.free_closed(detector_.member(i), work);
  return true;
}

bool Collector::announce_members(Transaction& t, const Doomed& doomed, const Work& work) {
  const bool weak = detector_.has_met_weak_links();
  Work plan = work;
  for (std::size_t i = 0; i < detector_.member_count(); ++i) {
    reaper_.announce(t, detector_.member(i), doomed, weak, plan);
    if (plan.left()) continue;
    for (std::size_t k = 0; k <= i; ++k) reaper_.retract(detector_.member(k));
    return false;
  }
  return true;
}

void Collector::suspend(Transaction& t, Offset header, Work& work) {
  stuck_ = true;
  containers_.forget();
  if (heap::suspend_candidate(t, header, now_.trial_slot)) {
    ++now_.counters.suspended;
  } else {
    reaper_.put_back(t, header, work);
  }
}

// ---- the trial of one that needs several transactions

/// True if it used this step.
bool Collector::work_on_trial(Transaction& t, Work& work) {
  if (now_.rest > 0) {
    --now_.rest;
    return false;
  }
  if (now_.trial.stage == Trial::Stage::kNone && !begin_trial(t, now_.trial_slot)) return false;
  if (reaper_.has_queued()) forget_alive();
  const bool spread_before = now_.trial.stage == Trial::Stage::kSpread;
  // What was known when the spreading began may have died since, if the set was emptied.
  const bool holds = !spread_before || now_.spread_generation == generation_;
  const auto result = trial_.go_on(t, now_.trial, holds ? &alive_ : nullptr, work);
  if (!spread_before) now_.spread_generation = generation_;
  if (result != Trial::Result::kMore) end_trial(t, result);
  return true;
}

void Collector::forget_alive() noexcept {
  if (mutated("found_alive_for_ever")) return;
  reaper_.forget_queued();
  alive_.clear();
  ++generation_;
}

bool Collector::begin_trial(Transaction& t, Offset& slot) {
  const auto found = heap::find_suspended(t, now_.trial_place);
  if (found.slot == 0) return false;
  slot = found.slot;
  ++now_.trial_place;
  trial_.begin(heap::header_of(t, found.body), now_.trial);
  return true;
}

void Collector::end_trial(Transaction& t, Trial::Result result) {
  const auto slot = std::exchange(now_.trial_slot, 0);
  now_.trial.stage = Trial::Stage::kNone;
  if (result == Trial::Result::kFailed) {
    ++now_.counters.trials_failed;
    // Nodes of different numbers rest differently long, or two would stop each other for ever.
    now_.next_rest = now_.next_rest == 0 ? 1u + t.node_id() : 2 * now_.next_rest;
    now_.rest = now_.next_rest = std::min(now_.next_rest, kMostRest);
    return;
  }
  now_.next_rest = 0;
  ++(result == Trial::Result::kAlive ? now_.counters.trials_alive : now_.counters.trials_freed);
  if (t.load(slot + heap::kTargetAt) != 0) heap::end_suspension(t, slot);
}

// ---- objects that nobody has told of

void Collector::scan_page(PageIndex page) noexcept {
  now_.scan = {page, heap::offset_of(page) + sizeof(heap::PageHeader)};
}

void Collector::go_on_scanning(Transaction& t, Work& work) {
  const auto page = now_.scan.page;
  const auto end = heap::offset_of(page) + kPageSize;
  if (!has_objects(t, page)) {
    now_.scan.page = kNoPage;
    return;
  }
  for (auto at = heap::offset_of(page) + sizeof(heap::PageHeader); at < end;) {
    const Tag tag(t.load(at));
    PLURIX_ASSERT(tag.bytes() >= heap::kGranule);
    const auto next = at + tag.bytes();
    work.spend(1);
    if (at >= now_.scan.at) {  // blocks may have changed since the transaction before
      now_.scan.at = next;
      if (tag.is_object() && !reaper_.is_dead(at)) examine(t, at, Origin::kNew, work);
      reaper_.free_fallen(t, work);
      if (stuck_ || !work.left()) return;
    }
    at = next;
  }
  ++now_.counters.pages_looked_at;
  now_.scan.page = kNoPage;
}

/// A page that was filled. What is found alive while the pages are looked at that are full now need
/// not be followed again for them: if it dies meanwhile, that leaves a candidate.
bool Collector::scan_a_filled_page(Transaction& t) {
  const auto full = heap::filled_pages(t);
  if (full == 0) return false;
  if (now_.filled_left == 0) {
    now_.filled_left = full;
    forget_alive();
  }
  --now_.filled_left;
  scan_page(heap::take_filled_page(t));
  return true;
}

/// Pages that are being filled now and have changed since they were looked at.
bool Collector::scan_a_cursors_page(Transaction& t) {
  const auto at = heap::state_of(t, t.node_id());
  if (at == 0) return false;
  const auto* state = t.reading<heap::NodeState>(at);
  for (std::size_t i = 0; i < kPlacements; ++i) {
    for (std::size_t k = 0; k < heap::kCursors; ++k) {
      const auto& cursor = state->of[i].cursor[k];
      auto& looked_at = now_.looked_at[i][k];
      if (cursor.end == 0 || cursor.at == looked_at) continue;
      looked_at = cursor.at;
      forget_alive();
      scan_page(page_of(cursor.end - 1));
      return true;
    }
  }
  return false;
}

void Collector::begin_sweep(bool all) noexcept {
  now_.sweep = {.on = true, .all = all || (now_.sweep.on && now_.sweep.all)};
  forget_alive();
  ++now_.counters.sweeps;
}

bool Collector::needs_sweep(Transaction& t) {
  const bool steward = members_.self == std::countr_zero(members_.mask);
  const bool started = std::exchange(now_.started, true);
  // An earlier node of this number, or of another epoch, has left a trial unfinished.
  const bool unfinished =
      !started && !mutated("unfinished_trial_not_swept") && heap::find_suspended(t, 0).slot != 0;
  const bool lost =
      steward && heap::take_lost_candidates(t) != 0 && !mutated("lost_candidates_not_swept");
  const bool own = heap::take_filled_lost(t) != 0;
  if (!unfinished && !lost && !own) return false;
  begin_sweep(unfinished || lost);
  return true;
}

void Collector::go_on_sweeping(Transaction& t, Work& work) {
  const auto r = heap::regions(t.pages());
  if (now_.sweep.next < r.first) now_.sweep.next = r.first;
  for (std::uint32_t looked = 0; looked < kPagesAtOnce; ++looked) {
    if (now_.sweep.next >= r.end) {
      now_.sweep.on = false;
      return;
    }
    work.spend(1);
    const auto page = now_.sweep.next++;
    if (!now_.sweep.all && heap::page_entry(t, page).node != t.node_id()) continue;
    if (has_objects(t, page)) return scan_page(page);
  }
}

/// The member with the lowest number takes over what nodes that are gone have left.
bool Collector::adopt(Transaction& t, Work& work) {
  if (members_.self != std::countr_zero(members_.mask)) return false;
  if (mutated("garbage_of_the_departed_left")) return false;
  now_.adopted &= ~members_.mask;
  if (now_.members == members_.mask) return false;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    const auto bit = std::uint64_t{1} << node;
    if (((members_.mask | now_.adopted) & bit) != 0 || heap::state_of(t, node) == 0) continue;
    work.spend(8);
    if (const auto body = heap::take_candidate_of(t, node).body; body != 0) {
      const auto header = heap::header_of(t, body);
      work.write(page_of(header));
      examine(t, header, Origin::kAdopted, work);
      return true;
    }
    now_.adopted |= bit;  // what it has suspended is found with what nobody has looked at
    begin_sweep(true);
    return true;
  }
  now_.members = members_.mask;
  return false;
}

bool Collector::tidy(Transaction& t, Work& work) {
  const auto r = heap::regions(t.pages());
  if (now_.untidy == 0) return false;
  const auto begin = now_.tidy_hand;
  work.spend(kTidyAtOnce * kTidyUnits);
  heap::tidy(t, now_.tidy_hand, kTidyAtOnce);
  now_.untidy -= std::min(now_.untidy, now_.tidy_hand - begin);
  if (now_.tidy_hand >= r.end) now_.tidy_hand = r.first;
  return true;
}

}  // namespace plurix::gc

#include <plurix/gc/cycle_detector.h>
#include <plurix/transaction.h>

namespace plurix::gc {

using heap::Offset;
using heap::Tag;

void CycleDetector::forget() noexcept {
  containers_.forget();
  forget_alive();
}

void CycleDetector::forget_alive() noexcept {
  ++attempt_;
  used_ = 0;
  met_count_ = 0;
}

/// The object's entry, or a free one.
CycleDetector::Entry& CycleDetector::entry_of(Offset header, std::uint32_t& place) noexcept {
  const auto hash = (header / heap::kGranule) * 0x9e3779b97f4a7c15u;
  for (place = static_cast<std::uint32_t>(hash >> 52);; place = (place + 1) % kPlaces) {
    auto& entry = table_[place];
    if (entry.attempt != attempt_ || entry.header == header) return entry;
  }
}
static_assert(std::uint64_t{1} << (64 - 52) == 4096);

bool CycleDetector::is_member(Offset header) const noexcept {
  std::uint32_t place = 0;
  const auto& entry = const_cast<CycleDetector*>(this)->entry_of(header, place);
  return entry.attempt == attempt_ && entry.search == search_;
}

/// Enters what leads to `parent`. True if it is known to be alive.
bool CycleDetector::meet(Offset header, std::uint32_t parent) noexcept {
  if (known_ != nullptr && known_->contains(header)) return true;
  std::uint32_t place = 0;
  auto& entry = entry_of(header, place);
  if (entry.attempt != attempt_) {
    if (used_ == kMost) {
      full_ = true;
      return false;
    }
    ++used_;
    entry = {.header = header, .attempt = attempt_};
  }
  if (entry.alive) return true;
  if (entry.search == search_) return false;
  entry.search = search_;
  entry.parent = parent;
  entry.looked_at = false;
  entry.below = last_;
  last_ = place;
  met_[met_count_++] = place;
  return false;
}

/// Takes what is looked at next; kNone if everything was.
std::uint32_t CycleDetector::choose() noexcept {
  while (first_ < met_count_ && table_[met_[first_]].looked_at) ++first_;
  while (last_ != kNone && table_[last_].looked_at) last_ = table_[last_].below;
  turn_ = !turn_;
  if (turn_) return first_ < met_count_ ? met_[first_] : kNone;
  return last_;
}

/// Meets everything that leads to an object. True if a root does.
bool CycleDetector::looks_alive(Transaction& t, std::uint32_t place, Work& work) {
  table_[place].looked_at = true;
  heap::ChainWalk walk(t, table_[place].header);
  std::uint32_t entries = 0;
  while (const auto slot = walk.next()) {
    work.spend(1);
    if (!work.left()) full_ = true;
    if (full_) return false;
    if ((t.load(slot + heap::kTargetAt) & heap::kWeak) != 0) continue;
    if (++entries > 1 && mutated("chain_searched_in_part")) return false;
    const auto around = containers_.around(t, slot);
    if (around == 0 || Tag(t.load(around)).has(Tag::kPinned)) return true;
    if (meet(around, place)) return true;
  }
  return false;
}

/// The object, and everything to which it leads on the way the search came.
void CycleDetector::mark_alive(std::uint32_t place) noexcept {
  for (; place != kNone; place = table_[place].parent) {
    table_[place].alive = true;
    if (known_ != nullptr) known_->insert(table_[place].header);
  }
}

Finding CycleDetector::examine(Transaction& t, Offset header, ObjectSet* known, Work& work) {
  ++search_;
  known_ = known;
  met_count_ = 0;
  first_ = 0;
  last_ = kNone;
  full_ = false;
  if (meet(header, kNone)) return Finding::kAlive;
  for (;;) {
    if (full_ || !work.left()) return Finding::kUndecided;
    const auto place = choose();
    if (place == kNone) return Finding::kGarbage;
    work.spend(2);
    if (looks_alive(t, place, work)) {
      mark_alive(place);
      return Finding::kAlive;
    }
  }
}

}  // namespace plurix::gc

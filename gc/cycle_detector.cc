#include <plurix/gc/cycle_detector.h>
#include <plurix/transaction.h>

namespace plurix::gc {

using heap::Offset;
using heap::Tag;

void CycleDetector::forget() noexcept {
  for (std::uint32_t i = 0; i < met_count_; ++i) members_.erase(met_[i].header);
  met_count_ = 0;
  first_ = 0;
  last_ = kNone;
  links_ = 0;
  full_ = false;
  weak_ = false;
}

/// Enters what leads to `parent`. True if it is known to be alive.
inline bool CycleDetector::meet(Offset header, std::uint32_t parent) noexcept {
  if (known_ != nullptr && known_->contains(header)) return true;
  if (!members_.insert(header)) return false;
  if (met_count_ == kMost) {
    members_.erase(header);
    full_ = true;
    return false;
  }
  met_[met_count_] = {.header = header, .parent = parent, .below = last_};
  last_ = met_count_++;
  return false;
}

/// Takes what is looked at next; kNone if everything was.
inline std::uint32_t CycleDetector::choose() noexcept {
  while (first_ < met_count_ && met_[first_].looked_at) ++first_;
  while (last_ != kNone && met_[last_].looked_at) last_ = met_[last_].below;
  turn_ = !turn_;
  if (turn_) return first_ < met_count_ ? first_ : kNone;
  return last_;
}

/// Meets what the link at `slot` stands in.
inline bool CycleDetector::leads_from_a_root(Transaction& t, Offset slot, std::uint32_t place,
                                             Work& work) {
  work.spend(1);
  if (!work.left()) full_ = true;
  if (full_) return false;
  if ((t.load(slot + heap::kTargetAt) & heap::kWeak) != 0) {
    weak_ = true;
    return false;
  }
  ++links_;
  const auto around = containers_.around(t, slot);
  return around == 0 || Tag(t.load(around)).has(Tag::kPinned) || meet(around, place);
}

/// Meets everything that leads to an object. True if a root does.
inline bool CycleDetector::looks_alive(Transaction& t, std::uint32_t place, Work& work) {
  met_[place].looked_at = true;
  const auto chain = t.load(met_[place].header + heap::kChainAt);
  if ((chain & heap::kSegmented) != 0) return looks_alive_by_table(t, place, work);
  for (auto slot = chain; slot != 0; slot = t.load(slot + heap::kNextAt)) {
    if (leads_from_a_root(t, slot, place, work)) return true;
    if (full_ || mutated("chain_searched_in_part")) return false;
  }
  return false;
}

bool CycleDetector::looks_alive_by_table(Transaction& t, std::uint32_t place, Work& work) {
  heap::ChainWalk walk(t, met_[place].header);
  while (const auto slot = walk.next()) {
    if (leads_from_a_root(t, slot, place, work)) return true;
    if (full_) return false;
  }
  return false;
}

/// The object, and everything to which it leads on the way the search came.
void CycleDetector::mark_alive(std::uint32_t place) noexcept {
  if (known_ == nullptr) return;
  for (; place != kNone; place = met_[place].parent) known_->insert(met_[place].header);
}

Finding CycleDetector::examine(Transaction& t, Offset header, ObjectSet* known, Work& work) {
  forget();
  known_ = known;
  if (meet(header, kNone)) return Finding::kAlive;
  for (;;) {
    if (full_ || !work.left()) return Finding::kUndecided;
    const auto place = choose();
    if (place == kNone) return Finding::kGarbage;
    work.spend(1);
    if (looks_alive(t, place, work)) {
      mark_alive(place);
      return Finding::kAlive;
    }
  }
}

}  // namespace plurix::gc

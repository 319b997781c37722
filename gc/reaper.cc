#include <plurix/gc/reaper.h>
#include <plurix/heap/candidates.h>
#include <plurix/transaction.h>

namespace plurix::gc {
namespace {

using heap::ObjectHeader;
using heap::Offset;
using heap::Tag;

Tag tag_of(Transaction& t, Offset header) { return Tag(t.load(header + heap::kTagAt)); }

bool is_used_up(const Work* limit) noexcept { return limit != nullptr && !limit->left(); }

/// The newest chunk of this node's queue: another one after an allocation.
Offset newest_chunk(Transaction& t) {
  const auto state = heap::state_of(t, t.node_id());
  return state == 0 ? 0 : t.reading<heap::NodeState>(state)->candidates;
}

/// Of what a link leads to.
Offset header_behind(Transaction& t, std::uint64_t word) {
  const auto target = word & ~heap::kTargetFlags;
  return target % kPageSize != 0 ? target - sizeof(ObjectHeader) : heap::header_of(t, target);
}

/// Of a small object, which stands on one page.
std::uint64_t word_behind(const ObjectHeader& object, std::size_t at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, reinterpret_cast<const std::byte*>(&object) + at, sizeof word);
  return word;
}

/// What clearing the links of an object costs that has many, or is an array.
void plan_links(Transaction& t, Offset header, const Doomed& doomed, Work& plan) {
  heap::LinkWalk links(t, header);
  while (const auto slot = links.next()) {
    if (!plan.left()) return;
    plan.spend(1);
    const auto word = t.load(slot + heap::kTargetAt);
    if (word == 0) continue;
    plan.spend(3);
    const auto target = header_behind(t, word);
    if (!doomed.has(target)) write_without(t, slot, plan);
  }
}

/// What clearing the weak links to an object costs.
void plan_weak_entries(Transaction& t, Offset header, Work& plan) {
  heap::ChainWalk walk(t, header);
  while (const auto slot = walk.next()) {
    if (!plan.left()) return;
    plan.spend(1);
    if ((t.load(slot + heap::kTargetAt) & heap::kWeak) == 0) continue;
    if (mutated("pages_outside_not_planned")) continue;
    plan.write(page_of(slot));
    write_without(t, slot, plan);
  }
}

}  // namespace

void write_without(Transaction& t, Offset slot, Work& work) {
  const auto next = t.load(slot + heap::kNextAt);
  work.write(page_of(t.load(slot + heap::kBackAt)));
  if (next != 0) work.write(page_of(next));
}

// ---- objects with few links

/// Where the links of an object stand that can be among the dead: nullptr if it takes more than
/// that to free it.
const LinkPlaces::Places* Reaper::few_links(Transaction& t, Offset header) {
  const auto& object = *t.reading<ObjectHeader>(header);
  return (object.chain & heap::kSegmented) != 0 ? nullptr : places_.of(t, object);
}

inline void Reaper::die(Offset header) noexcept {
  if (dead_.insert(header)) ++freed_;
}

/// What an object of the dead leads to has one link less. In the order of the links, so that a
/// structure is taken apart in the order in which it was most likely made.
inline void Reaper::let_go(Transaction& t, const ObjectHeader& object, Offset header,
                           const LinkPlaces::Places& places, Work& work) {
  for (std::size_t i = places.count; i > 0; --i) {
    const auto at = places.at[i - 1];
    const auto word = word_behind(object, at + heap::kTargetAt);
    if (word == 0) continue;
    if (loose_count_ == most_loose_) {
      detach(t, header + at, header_behind(t, word), (word & heap::kWeak) == 0, work);
    } else {
      loose_[loose_count_++] = header + at;
    }
  }
}

/// The same at once, where objects go together.
void Reaper::settle_all(Transaction& t, Offset header, const LinkPlaces::Places& places,
                        const Doomed& doomed, Work& work) {
  for (const auto at : places.all()) settle(t, header + at, doomed, work);
}

/// A link of the dead goes. It is left as it is itself, because nobody will see it.
inline void Reaper::settle(Transaction& t, Offset slot, const Doomed& doomed, Work& work) {
  const auto word = t.load(slot + heap::kTargetAt);
  if (word == 0) return;
  const auto target = header_behind(t, word);
  if (doomed.contains != nullptr && dead_.contains(target)) return;
  const bool is_news = (word & heap::kWeak) == 0 && !doomed.has(target);
  if (is_news && falls_with(t, slot, target, work)) return;
  detach(t, slot, target, is_news, work);
}

/// Takes a link of the dead out of its target's backchain, unless that is dead, too.
void Reaper::detach(Transaction& t, Offset slot, Offset target, bool is_news, Work& work) {
  if (dead_.contains(target)) return;
  work.spend(1);
  unlink(t, slot, work);
  if (is_news) has_lost_a_link(t, target, work);
}

/// The target dies as it stands if this is the only link to it. It is not dead already: what has
/// died before had no link, or links of what died with it.
inline bool Reaper::falls_with(Transaction& t, Offset slot, Offset target, Work& work) {
  const auto& object = *t.reading<ObjectHeader>(target);
  const bool others = object.chain != slot || t.load(slot + heap::kNextAt) != 0;
  if (others && !mutated("other_links_overlooked")) return false;
  if (loose_count_ == most_loose_) return false;
  if (Tag(object.tag).has(Tag::kPinned | Tag::kCandidate)) return false;
  const auto* places = places_.of(t, object);
  if (places == nullptr) return false;
  work.spend(1);
  work.write(page_of(target));
  die(target);
  let_go(t, object, target, *places, work);
  return true;
}

void Reaper::unlink(Transaction& t, Offset slot, Work& work) {
  work.spend(1);
  write_without(t, slot, work);
  if (!mutated("link_of_the_dead_left")) heap::leave_chain(t, slot);
}

// ---- any object

bool Reaper::free(Transaction& t, Offset header, const Doomed& doomed, Work& work) {
  return free_within(t, header, doomed, &work, work);
}

void Reaper::announce(Transaction& t, Offset header, const Doomed& doomed, bool weak, Work& plan) {
  plan.write(page_of(header));
  if (weak) plan_weak_entries(t, header, plan);
  const auto* places = few_links(t, header);
  if (places == nullptr) {
    plan.spend(4);
    return plan_links(t, header, doomed, plan);
  }
  die(header);
  plan.spend(1u + places->count);
  const auto& object = *t.reading<ObjectHeader>(header);
  for (const auto at : places->all()) {
    const auto word = word_behind(object, at + heap::kTargetAt);
    const bool leads_outside = word != 0 && !doomed.has(header_behind(t, word));
    if (leads_outside && !mutated("pages_outside_not_planned")) write_without(t, header + at, plan);
  }
}

void Reaper::retract(Offset header) noexcept {
  if (!dead_.contains(header)) return;
  dead_.erase(header);
  --freed_;
}

void Reaper::free_announced(Transaction& t, Offset header, const Doomed& doomed, bool weak,
                            Work& work) {
  if (!dead_.contains(header)) return (void)free_within(t, header, doomed, nullptr, work);
  work.spend(1);
  work.write(page_of(header));
  if (weak) take_weak_entries(t, header, work);
  settle_all(t, header, *places_.of(t, *t.reading<ObjectHeader>(header)), doomed, work);
}

std::size_t Reaper::count_links(Transaction& t, Offset header, Work& plan) {
  plan.write(page_of(header));
  const auto* places = few_links(t, header);
  if (places == nullptr) return kMany;
  plan.spend(1u + places->count);
  const auto& object = *t.reading<ObjectHeader>(header);
  std::size_t links = 0;
  for (const auto at : places->all()) {
    links += word_behind(object, at + heap::kTargetAt) != 0 ? 1 : 0;
  }
  return links;
}

void Reaper::free_closed(Offset header, Work& work) noexcept {
  work.spend(1);
  work.write(page_of(header));
  die(header);
}

bool Reaper::free_within(Transaction& t, Offset header, const Doomed& doomed, Work* limit,
                         Work& work) {
  work.spend(2);
  work.write(page_of(header));
  if (!take_entries(t, header, limit, work)) return false;
  if (const auto* places = few_links(t, header); places != nullptr) {
    die(header);
    if (doomed.contains == nullptr) {
      let_go(t, *t.reading<ObjectHeader>(header), header, *places, work);
    } else {
      settle_all(t, header, *places, doomed, work);
    }
    return true;
  }
  if (!clear_links(t, header, doomed, limit, work)) return false;
  heap::discard_object(t, header);
  ++freed_;
  return true;
}

/// Clears weak links to an object of the dead; the others are of the dead, too.
void Reaper::take_weak_entries(Transaction& t, Offset header, Work& work) {
  heap::ChainWalk walk(t, header);
  while (const auto slot = walk.next()) {
    work.spend(1);
    if ((t.load(slot + heap::kTargetAt) & heap::kWeak) == 0) continue;
    work.write(page_of(slot));
    write_without(t, slot, work);
    heap::remove_link(t, slot);
  }
}

/// Clears what leads to the object.
bool Reaper::take_entries(Transaction& t, Offset header, Work* limit, Work& work) {
  heap::ChainWalk walk(t, header);
  while (!is_used_up(limit)) {
    const auto slot = walk.next();
    if (slot == 0) return true;
    work.spend(2);
    work.write(page_of(slot));
    write_without(t, slot, work);
    heap::remove_link(t, slot);
  }
  return walk.position().at == 0;
}

/// An array loses its elements from the last one on, and its length with them: so whoever goes on,
/// in a later transaction, begins where this one has stopped, and nothing need be known but what
/// was committed.
bool Reaper::clear_links(Transaction& t, Offset header, const Doomed& doomed, Work* limit,
                         Work& work) {
  heap::LinkWalk links(t, header);
  links.go_backwards();
  for (std::uint32_t seen = 0;;) {
    const auto slot = links.next();
    if (slot == 0) return true;
    if (++seen % 8 == 0) work.spend(1);
    if (const auto word = t.load(slot + heap::kTargetAt); word != 0) {
      const auto target = heap::header_of(t, word & ~heap::kTargetFlags);
      work.spend(2);
      work.write(page_of(slot));
      write_without(t, slot, work);
      heap::remove_link(t, slot);
      if ((word & heap::kWeak) == 0 && !doomed.has(target)) has_lost_a_link(t, target, work);
    }
    // What an array has made suspects of is looked at before it makes more.
    const bool is_long = links.elements_left() > 1;
    const bool rests = is_long && limit != nullptr && suspect_count_ == most_suspects_;
    if (!rests && !is_used_up(limit)) continue;
    if (is_long) {
      const auto body = heap::body_of(t, header);
      work.write(page_of(body));
      t.store(body, links.elements_left() - (mutated("array_shortened_too_far") ? 1 : 0));
    }
    return false;
  }
}

void Reaper::has_lost_a_link(Transaction& t, Offset header, Work& work) {
  const auto tag = tag_of(t, header);
  if (tag.has(Tag::kPinned)) return;
  if (heap::is_linked(t, header) && !mutated("linked_object_collected")) {
    return suspect(t, header, work);
  }
  if (tag.has(Tag::kCandidate)) return;  // whoever has it in the queue finds it without a link
  if (fallen_count_ == kMostFallen) return queue(t, header, work);
  fallen_[fallen_count_++] = header;
}

/// It is told to whoever has it in the queue, if somebody has.
void Reaper::suspect(Transaction& t, Offset header, Work& work) {
  const bool queued = tag_of(t, header).has(Tag::kCandidate);
  if (queued || suspect_count_ == most_suspects_) return queue(t, header, work);
  has_queued_ = true;
  suspects_[suspect_count_++] = header;
}

Offset Reaper::take_suspect(Transaction& t) {
  while (suspect_count_ > 0) {
    const auto header = suspects_[--suspect_count_];
    if (!dead_.contains(header) && tag_of(t, header).is_object()) return header;
  }
  return 0;
}

void Reaper::queue(Transaction& t, Offset header, Work& work) {
  has_queued_ = true;
  put_back(t, header, work);
}

void Reaper::put_back(Transaction& t, Offset header, Work& work) {
  const auto chunk = newest_chunk(t);
  heap::add_candidate(t, header);
  work.spend(4);
  work.write(page_of(header));
  if (newest_chunk(t) != chunk) containers_.forget();
}

void Reaper::free_fallen(Transaction& t, Work& work) {
  while (work.left()) {
    if (loose_count_ > 0) {
      settle(t, loose_[--loose_count_], {}, work);
    } else if (fallen_count_ > 0) {
      const auto header = fallen_[--fallen_count_];
      if (!free(t, header, {}, work)) queue(t, header, work);
    } else {
      return;
    }
  }
}

void Reaper::queue_the_rest(Transaction& t, Work& work) {
  while (loose_count_ > 0) {
    const auto slot = loose_[--loose_count_];
    const auto word = t.load(slot + heap::kTargetAt);
    // It was weak, and its target has died meanwhile.
    if (word == 0 && !mutated("cleared_link_taken_out_again")) continue;
    detach(t, slot, header_behind(t, word), (word & heap::kWeak) == 0, work);
  }
  while (fallen_count_ > 0) queue(t, fallen_[--fallen_count_], work);
  while (const auto header = take_suspect(t)) queue(t, header, work);
}

void Reaper::finish(Transaction& t) {
  PLURIX_ASSERT(fallen_count_ + loose_count_ + suspect_count_ == 0);
  if (dead_.empty()) return;
  dead_.take_pages([&t](PageIndex page, std::span<const std::uint64_t> places) {
    heap::deallocate_together(t, page, places);
  });
  containers_.forget();
}

}  // namespace plurix::gc

#include <plurix/gc/reaper.h>
#include <plurix/heap/candidates.h>
#include <plurix/transaction.h>

namespace plurix::gc {
namespace {

using heap::Offset;
using heap::Tag;

Tag tag_of(Transaction& t, Offset header) { return Tag(t.load(header + heap::kTagAt)); }

bool is_used_up(const Work* limit) noexcept { return limit != nullptr && !limit->left(); }

/// The newest chunk of this node's queue: another one after an allocation.
Offset newest_chunk(Transaction& t) {
  const auto state = heap::state_of(t, t.node_id());
  return state == 0 ? 0 : t.reading<heap::NodeState>(state)->candidates;
}

}  // namespace

bool Reaper::free(Transaction& t, Offset header, const Doomed& doomed, Work& work) {
  return free_within(t, header, doomed, &work, work);
}

void Reaper::free_now(Transaction& t, Offset header, const Doomed& doomed, Work& work) {
  (void)free_within(t, header, doomed, nullptr, work);
}

bool Reaper::free_within(Transaction& t, Offset header, const Doomed& doomed, Work* limit,
                         Work& work) {
  work.spend(3);
  work.write(page_of(header));
  if (!take_entries(t, header, limit, work)) return false;
  if (!clear_links(t, header, doomed, limit, work)) return false;
  heap::discard_object(t, header);
  ++freed_;
  return true;
}

/// Clears what leads to the object.
bool Reaper::take_entries(Transaction& t, Offset header, Work* limit, Work& work) {
  heap::ChainWalk walk(t, header);
  while (!is_used_up(limit)) {
    const auto slot = walk.next();
    if (slot == 0) return true;
    work.spend(2);
    work.write(page_of(slot));
    heap::remove_link(t, slot);
  }
  return walk.position().at == 0;
}

bool Reaper::clear_links(Transaction& t, Offset header, const Doomed& doomed, Work* limit,
                         Work& work) {
  heap::LinkWalk links(t, header);
  const auto elements = links.elements_left();
  const bool goes_on = long_array_ == header && tag_of(t, header).condemner() == t.node_id();
  if (goes_on) links.skip_elements(elements_done_);
  for (std::uint32_t seen = 0;;) {
    const auto slot = links.next();
    if (slot == 0) return true;
    if (++seen % 8 == 0) work.spend(1);
    if (const auto word = t.load(slot + heap::kTargetAt); word != 0) {
      const auto target = heap::header_of(t, word & ~heap::kTargetFlags);
      work.spend(2);
      work.write(page_of(slot));
      work.write(page_of(target));
      heap::remove_link(t, slot);
      if ((word & heap::kWeak) == 0 && !doomed.has(target)) has_lost_a_link(t, target, work);
    }
    if (!is_used_up(limit)) continue;
    if (links.elements_left() > 1) {
      long_array_ = header;
      elements_done_ = elements - links.elements_left();
      t.store(header + heap::kTagAt, tag_of(t, header).condemned_by(t.node_id()).word());
    }
    return false;
  }
}

void Reaper::has_lost_a_link(Transaction& t, Offset header, Work& work) {
  const auto tag = tag_of(t, header);
  if (tag.has(Tag::kPinned)) return;
  if (heap::is_linked(t, header) && !mutated("linked_object_collected")) {
    return queue(t, header, work);
  }
  if (tag.has(Tag::kCandidate)) return;  // whoever has it in the queue finds it without a link
  if (fallen_count_ == kMostFallen) return queue(t, header, work);
  fallen_[fallen_count_++] = header;
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
  while (fallen_count_ > 0 && work.left()) {
    const auto header = fallen_[--fallen_count_];
    if (!free(t, header, {}, work)) queue(t, header, work);
  }
}

void Reaper::queue_fallen(Transaction& t, Work& work) {
  while (fallen_count_ > 0) queue(t, fallen_[--fallen_count_], work);
}

std::uint64_t Reaper::cost_of(Transaction& t, Offset header) {
  const Tag tag = tag_of(t, header);
  if (tag.has(Tag::kLinkless)) return 4;
  const heap::TypeView type(t, t.load(header + heap::kTypeAt));
  std::uint64_t links = 0;
  for (const auto& run : type.links()) links += run.count;
  if (tag.has(Tag::kArray)) links *= t.load(heap::body_of(t, header));
  return 4 + 4 * links;
}

}  // namespace plurix::gc

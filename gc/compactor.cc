#include <plurix/gc/compactor.h>
#include <plurix/heap/compaction.h>

#include <algorithm>

namespace plurix::gc {
namespace {

using heap::PageRun;
using heap::PageUse;

constexpr std::uint32_t kInheritedAtOnce = 4;
constexpr std::uint32_t kEntriesAtOnce = 1024;  ///< of the page map
constexpr std::uint32_t kTriedAtOnce = 8;       ///< large objects for which room is looked for
/// A page is worth emptying if no more than this is in use on it, bytes.
constexpr std::uint64_t kSparse = heap::kRoomOfPage / 4;

bool is_lowest_member(NodeId self, std::span<const bool> members) noexcept {
  return std::find(members.begin(), members.end(), true) - members.begin() == self;
}

}  // namespace

Compactor::Found Compactor::work(Transaction& t, std::span<const bool> members) {
  Found found;
  found.hand = hand_;
  found.taken = heap::taken_pages(t);
  switch (stage_) {
    case Stage::kInherit:
      inherit(t, members, found);
      break;
    case Stage::kReadWrite:
      compact(t, Placement::kReadWrite, found);
      break;
    case Stage::kReadOnly:
      compact(t, Placement::kReadOnly, found);
      break;
    case Stage::kLarge:
      move_large(t, found);
      break;
    case Stage::kForget:
      look_for_unused(t, found);
      break;
  }
  return found;
}

void Compactor::inherit(Transaction& t, std::span<const bool> members, Found& found) const {
  found.stage_over = true;
  if (!is_lowest_member(t.node_id(), members)) return;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (members[node]) continue;
    found.count.inherited = heap::inherit_pages(t, node, kInheritedAtOnce);
    if (found.count.inherited == 0) continue;
    found.stage_over = false;
    return;
  }
}

/// Empties one page, or gives back one that is empty.
void Compactor::compact(Transaction& t, Placement placement, Found& found) const {
  const auto page = heap::next_sparse_page(t, placement, found.hand, kEntriesAtOnce, kSparse);
  found.stage_over = found.hand <= std::max(hand_, heap::regions(t.pages()).first);  // once around
  if (page == kNoPage) return;
  found.count.moved = heap::evacuate(t, page);
  found.count.emptied = found.count.moved > 0 ? 1 : 0;
  if (t.reading<heap::PageHeader>(heap::offset_of(page))->objects != 0) return;  // some are pinned
  heap::release_pages(t, page, 1);
  found.count.given_back = 1;
}

/// Moves one large object of this node to the front, from the lowest to the highest: so each finds
/// the room that those before it have left.
void Compactor::move_large(Transaction& t, Found& found) {
  constexpr auto kUser = [](Placement placement) {
    return placement == Placement::kReadWrite || placement == Placement::kReadOnly;
  };
  const auto end = heap::regions(t.pages()).end;
  found.hand = std::max(hand_, heap::regions(t.pages()).first);
  for (std::uint32_t looked = 0, tried = 0; looked < kEntriesAtOnce && tried < kTriedAtOnce;
       ++looked) {
    const auto page = heap::next_taken_page(t, found.hand);
    if (page == kNoPage) break;
    const auto entry = heap::page_entry(t, page);
    const bool own = entry.use == PageUse::kLarge && entry.node == t.node_id();
    if (!own || !kUser(entry.placement)) continue;
    ++tried;
    moving_ = page;
    if (heap::relocate_to_front(t, heap::offset_of(page), most_pages_) == 0) continue;
    found.count.large = 1;
    return;
  }
  found.stage_over = found.hand >= end;
}

/// Runs of pages that nobody has. A lap is only worth it if there are more than at the last one.
void Compactor::look_for_unused(Transaction& t, Found& found) const {
  const auto r = heap::regions(t.pages());
  found.stage_over = true;
  if (hand_ == 0 && found.taken >= forgotten_at_) return;
  auto page = std::max(hand_, r.first);
  const auto end = std::min(r.end, page + kEntriesAtOnce);
  while (page < end && !found.unused.full()) {
    PageRun run{page, 0};
    while (page < end && heap::page_entry(t, page).use == PageUse::kFree) ++page, ++run.count;
    if (run.count > 0) (void)found.unused.push(run);
    while (page < end && heap::page_entry(t, page).use != PageUse::kFree) ++page;
  }
  found.stage_over = page >= r.end;
  found.hand = page;
}

/// A step did not commit. A large object that this node has no room to move shall not keep it from
/// those behind, nor from the stage behind.
bool Compactor::give_up(bool no_room) noexcept {
  if (stage_ != Stage::kLarge) return false;
  if (no_room && moving_ != kNoPage) {
    ++counters_.too_large;
    hand_ = moving_ + 1;
    return true;
  }
  stage_ = Stage::kForget;
  hand_ = 0;
  return false;
}

/// False behind a lap without anything done.
bool Compactor::note(const Found& found) noexcept {
  counters_.inherited += found.count.inherited;
  counters_.emptied += found.count.emptied;
  counters_.moved += found.count.moved;
  counters_.large += found.count.large;
  counters_.given_back += found.count.given_back;
  counters_.forgotten += found.count.forgotten;
  busy_lap_ |=
      found.count.inherited + found.count.given_back + found.count.moved + found.count.large > 0;
  const bool lap = stage_ == Stage::kForget && hand_ == 0 && found.taken < forgotten_at_;
  forgotten_at_ = lap ? found.taken : std::max(forgotten_at_, found.taken);
  hand_ = found.stage_over ? 0 : found.hand;
  if (!found.stage_over) return true;
  stage_ = stage_ == Stage::kForget ? Stage::kInherit
                                    : static_cast<Stage>(static_cast<unsigned>(stage_) + 1);
  return stage_ != Stage::kInherit || std::exchange(busy_lap_, false);
}

}  // namespace plurix::gc

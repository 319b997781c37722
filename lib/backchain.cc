#include <plurix/base/mutation.h>
#include <plurix/heap/backchain.h>
#include <plurix/heap/candidates.h>
#include <plurix/transaction.h>

#include <cstddef>

namespace plurix::heap {
namespace {

Offset target_of(std::uint64_t word) noexcept { return word & ~kTargetFlags; }

/// A link in the heap, as words. It may straddle two pages, but no word of it does.
struct Slot {
  std::uint64_t target;
  Offset next;
  Offset back;
};
static_assert(sizeof(Slot) == sizeof(AnyLink) && offsetof(Slot, next) == kNextAt &&
              offsetof(Slot, back) == kBackAt);

/// The cell of this node in a table, made on first use.
Offset own_cell(Transaction& t, Offset table) {
  const auto place = table + t.node_id() * sizeof(Offset);
  if (const auto cell = t.load(place); cell != 0) return cell;
  const auto cell = allocate(t, {.bytes = sizeof(Offset),
                                 .flags = Tag::kLinkless | Tag::kPinned,
                                 .placement = Placement::kSystemReadWrite});
  t.store(cell, 0);
  t.store(place, cell);
  return cell;
}

/// The header of what a link leads to, which is an object for certain.
Offset header_behind(Transaction& t, Offset target) {
  return target % kPageSize != 0 ? target - sizeof(ObjectHeader) : header_of(t, target);
}

/// header_of, without a call where the target is a small object.
Offset header_before(Transaction& t, Offset target) {
  const auto place = target % kPageSize;
  const bool may_be_small = place % kGranule == 0 &&
                            place >= sizeof(PageHeader) + sizeof(ObjectHeader) &&
                            target >= offset_of(Regions::kRoots) && target < offset_of(t.pages());
  if (may_be_small) [[likely]] {
    const auto header = target - sizeof(ObjectHeader);
    const Tag tag(t.load(header + kTagAt));
    if (tag.is_object() && !tag.has(Tag::kLarge)) [[likely]]
      return header;
  }
  return header_of(t, target);
}

/// A collector that has condemned the object learns that somebody had a way to it after all.
void spare(Transaction& t, Offset header, Tag tag) {
  if (!tag.is_condemned() || mutated("condemned_object_not_spared")) [[likely]]
    return;
  t.store(header + kTagAt, tag.spared().word());
}

/// Whether a block begins there, on a page of small objects: it was an object earlier in this
/// transaction, and may be part of another one now.
bool begins_block(Transaction& t, Offset header) {
  auto block = (header & ~Offset{kPageSize - 1}) + sizeof(PageHeader);
  while (block < header) block += Tag(t.load(block)).bytes();
  return block == header;
}

/// Whatever was come to by weak links: the link that is stored now may lead to what is behind it.
void spare_found(Transaction& t) {
  t.take_condemned([&t](Offset body) {
    const auto header = header_of(t, body);
    if (header != 0 && begins_block(t, header)) spare(t, header, Tag(t.load(header + kTagAt)));
  });
}

void enter_link(Transaction& t, Slot& link, Offset slot, Offset target, std::uint64_t flags) {
  const auto header = header_before(t, target);
  if (header == 0) t.misuse("a Link to what is no object, or only a part of one");
  const auto& object = *t.reading<ObjectHeader>(header);
  if ((flags & kOfCollector) == 0) {
    spare(t, header, Tag(object.tag));
    if (t.has_condemned()) [[unlikely]]
      spare_found(t);
  }
  auto head = header + kChainAt;
  auto first = object.chain;
  if ((first & kSegmented) != 0) [[unlikely]] {
    head = own_cell(t, first & ~kSegmented);
    first = t.load(head);
  }
  link = {target | flags, first, head};
  if (mutated("chain_entry_forgotten")) return;
  t.store(head, slot);
  if (first != 0) t.store(first + kBackAt, slot + kNextAt);
}

/// The target is to be looked at by the collector, if that does not know it already.
void has_lost_a_link(Transaction& t, Offset target) {
  const auto header = header_behind(t, target);
  const Tag tag(t.load(header + kTagAt));
  if (tag.has(Tag::kCandidate) && tag.has(Tag::kLostAgain)) [[likely]]
    return;
  add_candidate(t, header);
}

void join_neighbours(Transaction& t, Offset next, Offset back) {
  if (mutated("chain_entry_left")) return;
  t.store(back, next);
  if (next != 0) t.store(next + kBackAt, back);
}

void unchain(Transaction& t, Slot& link) {
  const auto [target, next, back] = link;
  link = {};
  join_neighbours(t, next, back);
}

}  // namespace

void follow_weak_link(Transaction& t, Offset target) {
  if (mutated("weak_way_unnoticed")) return;
  const auto header = header_of(t, target);
  if (header == 0) return;
  const Tag tag(t.load(header + kTagAt));
  if (!tag.is_condemned() || t.note_condemned(target)) return;
  spare(t, header, tag);
}

void remove_link(Transaction& t, Offset slot) { unchain(t, *t.writing<Slot>(slot)); }

void leave_chain(Transaction& t, Offset slot) {
  join_neighbours(t, t.load(slot + kNextAt), t.load(slot + kBackAt));
}

void set_link(Transaction& t, Offset slot, Offset target, std::uint64_t flags) {
  auto& link = *t.writing<Slot>(slot);
  const auto old = link.target;
  if (old == (target | flags)) return;
  if (target_of(old) != 0) {
    if (!mutated("chain_entry_doubled")) unchain(t, link);
    // Not if it is linked again at once: a candidate would be looked at for nothing.
    if ((old & kWeak) == 0 && target_of(old) != target) {
      has_lost_a_link(t, target_of(old));
    }
  }
  if (target != 0) enter_link(t, link, slot, target, flags);
}

void move_link(Transaction& t, Offset from, Offset to) {
  const auto next = t.load(from + kNextAt);
  const auto back = t.load(from + kBackAt);
  t.store(to + kTargetAt, t.load(from + kTargetAt));
  t.store(to + kNextAt, next);
  t.store(to + kBackAt, back);
  t.store(back, to);
  if (next != 0) t.store(next + kBackAt, to + kNextAt);
}

void segment_chain(Transaction& t, Offset body) {
  const auto header = header_of(t, body);
  if (header == 0) t.misuse("what is no object, or only a part of one, has no backchain");
  const auto chain = t.load(header + kChainAt);
  if ((chain & kSegmented) != 0) return;
  const auto table = allocate(t, {.bytes = sizeof(SegmentTable),
                                  .flags = Tag::kLinkless | Tag::kPinned,
                                  .placement = Placement::kReadOnly});
  for (std::size_t node = 0; node < kMaxNodes; ++node) t.store(table + node * sizeof(Offset), 0);
  t.store(header + kChainAt, table | kSegmented);
  if (chain == 0) return;
  const auto cell = own_cell(t, table);
  t.store(cell, chain);
  t.store(chain + kBackAt, cell);
}

bool is_linked(Transaction& t, Offset header) {
  ChainWalk walk(t, header);
  while (const auto slot = walk.next()) {
    if ((t.load(slot + kTargetAt) & kWeak) == 0) return true;
  }
  return false;
}

ChainWalk::ChainWalk(Transaction& t, Offset header) : t_(t) {
  const auto chain = t.load(header + kChainAt);
  if ((chain & kSegmented) == 0) {
    at_ = chain;
    node_ = kMaxNodes;
    return;
  }
  table_ = chain & ~kSegmented;
  skip_empty();
}

ChainWalk::ChainWalk(Transaction& t, Offset header, const ChainPosition& position)
    : ChainWalk(t, header) {
  const auto at = position.at;
  if (at == 0 || target_of(t.load(at + kTargetAt)) != body_of(t, header)) return;
  const auto back = t.load(at + kBackAt);
  // What an object that was moved has left behind looks like a link, but no chain leads to it.
  if (back % kGranule != 0 || back == 0 || back >= offset_of(t.pages()) || t.load(back) != at) {
    return;
  }
  at_ = at;
  node_ = position.node;
}

void ChainWalk::skip_empty() {
  while (at_ == 0 && node_ < kMaxNodes) {
    const auto cell = t_.load(table_ + node_++ * sizeof(Offset));
    if (cell != 0) at_ = t_.load(cell);
  }
}

Offset ChainWalk::next() {
  const auto slot = at_;
  if (slot == 0) return 0;
  at_ = t_.load(slot + kNextAt);
  skip_empty();
  return slot;
}

}  // namespace plurix::heap

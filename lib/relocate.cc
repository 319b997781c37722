#include <plurix/base/mutation.h>
#include <plurix/heap/backchain.h>
#include <plurix/heap/compaction.h>
#include <plurix/heap/relocate.h>
#include <plurix/heap/type.h>
#include <plurix/transaction.h>

#include <cstring>

namespace plurix::heap {
namespace {

void clear_weak_links_to(Transaction& t, Offset header) {
  ChainWalk walk(t, header);
  while (const auto slot = walk.next()) remove_link(t, slot);
}

/// The table and the cells of a popular object.
void free_segments(Transaction& t, Offset header) {
  const auto chain = t.load(header + kChainAt);
  if ((chain & kSegmented) == 0) return;
  const auto table = chain & ~kSegmented;
  for (std::size_t node = 0; node < kMaxNodes; ++node) {
    const auto cell = t.load(table + node * sizeof(Offset));
    if (cell != 0) deallocate(t, header_of(t, cell));
  }
  deallocate(t, header_of(t, table));
}

/// Moves the links inside the object, each with its entry. One by one, because they may be each
/// other's neighbours.
void move_links(Transaction& t, Offset header, Offset from, Offset to) {
  LinkWalk links(t, header);
  while (const auto slot = links.next()) {
    if ((t.load(slot) & ~kTargetFlags) != 0) move_link(t, slot, slot - from + to);
  }
}

/// All links to the object lead to its new place.
void redirect_links(Transaction& t, Offset header, Offset to) {
  ChainWalk walk(t, header);
  bool first = true;
  while (const auto slot = walk.next()) {
    if (std::exchange(first, false) && mutated("link_not_fixed_on_relocation")) continue;
    t.store(slot + kTargetAt, to | (t.load(slot + kTargetAt) & kTargetFlags));
  }
}

/// The chain hangs at another header.
void move_chain(Transaction& t, Offset from, Offset to) {
  const auto chain = t.load(from + kChainAt);
  t.store(to + kChainAt, chain);
  if (chain != 0 && (chain & kSegmented) == 0) t.store(chain + kBackAt, to + kChainAt);
}

Request request_like(Transaction& t, Offset header) {
  const Tag tag(t.load(header + kTagAt));
  const auto type = t.load(header + kTypeAt);
  Request request{.bytes = body_bytes(t, header),
                  .type = type,
                  .flags = tag.flags() & ~Tag::kLarge,
                  .placement = tag.placement()};
  if (type != 0) {
    const auto alignment = t.reading<TypeDescriptor>(type)->alignment;
    if (alignment > kGranule) request.alignment = alignment;
  }
  return request;
}

/// Moves an object to the body `to`, which was allocated for it.
void move_object(Transaction& t, Offset header, Offset to) {
  const auto body = body_of(t, header);
  const auto bytes = body_bytes(t, header);
  const auto new_header = header_of(t, to);
  std::memcpy(t.writing_range(to, bytes), t.reading_range(body, bytes), bytes);
  move_links(t, header, body, to);
  redirect_links(t, header, to);
  move_chain(t, header, new_header);
  deallocate(t, header);
}

}  // namespace

void clear_links(Transaction& t, Offset header) {
  if (mutated("links_left_in_freed_object")) return;
  LinkWalk links(t, header);
  while (const auto slot = links.next()) set_link(t, slot, 0, 0);
}

void free_object(Transaction& t, Offset body) {
  const auto header = header_of(t, body);
  if (header == 0) t.misuse("what is freed is no object, or only a part of one");
  if (Tag(t.load(header + kTagAt)).has(Tag::kPinned)) {
    t.misuse("an object of the system is not freed by a program");
  }
  clear_links(t, header);
  if (is_linked(t, header)) t.misuse("an object is freed while a link leads to it");
  clear_weak_links_to(t, header);
  discard_object(t, header);
}

void discard_object(Transaction& t, Offset header) {
  free_segments(t, header);
  deallocate(t, header);
}

LinkWalk::LinkWalk(Transaction& t, Offset header) : t_(t) {
  const Tag tag(t.load(header + kTagAt));
  if (tag.has(Tag::kLinkless)) return;
  type_ = t.load(header + kTypeAt);
  const auto* type = t.reading<TypeDescriptor>(type_);
  runs_ = type->runs;
  if (runs_ == 0) return;
  body_ = body_of(t, header);
  elements_ = 1;
  step_ = type->size;
  if (!tag.has(Tag::kArray)) return;
  elements_ = t.load(body_);
  body_ += type->alignment > kGranule ? type->alignment : kGranule;
}

Offset LinkWalk::next() {
  if (elements_ == 0) return 0;
  const auto& run = *t_.reading<LinkRun>(type_ + sizeof(TypeDescriptor) + run_ * sizeof(LinkRun));
  const auto slot = body_ + run.offset + std::uint64_t{in_run_} * run.stride;
  if (++in_run_ == run.count) {
    in_run_ = 0;
    if (++run_ == runs_) {
      run_ = 0;
      --elements_;
      body_ += step_;
    }
  }
  return slot;
}

void LinkWalk::go_backwards() noexcept {
  if (elements_ == 0) return;
  body_ += (elements_ - 1) * step_;
  step_ = -step_;
}

Offset relocate(Transaction& t, Offset body) {
  const auto header = header_of(t, body);
  if (header == 0) t.misuse("what is moved is no object, or only a part of one");
  return relocate(t, body, Tag(t.load(header + kTagAt)).placement());
}

Offset relocate(Transaction& t, Offset body, Placement placement) {
  const auto header = header_of(t, body);
  if (header == 0) t.misuse("what is moved is no object, or only a part of one");
  if (Tag(t.load(header + kTagAt)).has(Tag::kPinned)) return body;
  auto request = request_like(t, header);
  request.placement = placement;
  const auto to = allocate(t, request);
  move_object(t, header, to);
  return to;
}

Offset relocate_to_front(Transaction& t, Offset body, std::uint32_t most_pages) {
  const auto header = header_of(t, body);
  if (header == 0) t.misuse("what is moved is no object, or only a part of one");
  const Tag tag(t.load(header + kTagAt));
  if (!tag.has(Tag::kLarge) || tag.has(Tag::kPinned)) return 0;
  auto request = request_like(t, header);
  const auto pages = pages_for(request.bytes);
  if (pages > most_pages) return 0;
  // Twice, because the new header may take a page of what was found.
  for (int i = 0; i < 2; ++i) {
    const auto run = find_free_pages(t, pages, page_of(body));
    if (run.count == 0) return 0;
    request.at = run.first;
    const auto to = try_allocate(t, request);
    if (to == 0) continue;
    move_object(t, header, to);
    return to;
  }
  return 0;
}

std::uint32_t evacuate(Transaction& t, PageIndex page) {
  if (page_entry(t, page).use != PageUse::kSmall) return 0;
  const auto end = offset_of(page) + kPageSize;
  if (t.reading<PageHeader>(offset_of(page))->magic != PageHeader::kMagic) return 0;
  // Full, for whoever looks for room: what leaves the page shall not come back to it.
  stop_filling(t, page);
  t.writing<PageHeader>(offset_of(page))->used += kRoomOfPage;
  std::uint32_t moved = 0;
  for (auto at = offset_of(page) + sizeof(PageHeader); at < end;) {
    const Tag tag(t.load(at));
    if (tag.is_object() && !tag.has(Tag::kPinned)) {
      (void)relocate(t, body_of(t, at));
      ++moved;
    }
    at += tag.bytes();
  }
  t.writing<PageHeader>(offset_of(page))->used -= kRoomOfPage;
  return moved;
}

}  // namespace plurix::heap

#include "heap_census.h"

#include <plurix/heap/backchain.h>

namespace plurix::tool {
namespace {

using heap::Offset;
using heap::PageUse;
using heap::Tag;

TypeCount count_of(Transaction& t, const Block& block) {
  const bool keeps_itself = block.tag.has(Tag::kPinned);
  return {.objects = 1,
          .bytes = heap::body_bytes(t, block.at),
          .arrays = block.tag.has(Tag::kArray) ? 1u : 0u,
          .unlinked = keeps_itself || heap::is_linked(t, block.at) ? 0u : 1u};
}

void tally_blocks(Transaction& t, PageIndex page, PageTally& tally) {
  tally.broken = !for_each_block(t, page, [&](const Block& block) {
    if (block.tag.is_hole()) {
      tally.count.hole_bytes += block.tag.bytes();
      return;
    }
    ++tally.count.objects;
    tally.count.used_bytes += block.tag.bytes();
    tally.types[t.load(block.at + heap::kTypeAt)].add(count_of(t, block));
  });
}

}  // namespace

void TypeCount::add(const TypeCount& other) noexcept {
  objects += other.objects;
  bytes += other.bytes;
  arrays += other.arrays;
  unlinked += other.unlinked;
}

void PageCount::add(const PageCount& other) noexcept {
  pages += other.pages;
  empty += other.empty;
  objects += other.objects;
  used_bytes += other.used_bytes;
  hole_bytes += other.hole_bytes;
}

bool holds_small_objects(Transaction& t, PageIndex page) {
  const auto entry = heap::page_entry(t, page);
  if (entry.use != PageUse::kSmall) return false;
  const auto at = heap::state_of(t, entry.node);
  if (at == 0) return true;
  const auto& state = t.reading<heap::NodeState>(at)->of[static_cast<std::size_t>(entry.placement)];
  return page < state.run_next || page >= state.run_end;
}

PageTally tally_page(Transaction& t, PageIndex page) {
  PageTally tally{.entry = heap::page_entry(t, page), .count = {}, .types = {}};
  if (tally.entry.use == PageUse::kFree) return tally;
  tally.count.pages = 1;
  if (holds_small_objects(t, page)) tally_blocks(t, page, tally);
  const bool small = tally.entry.use == PageUse::kSmall;
  if (small && tally.count.objects == 0) tally.count.empty = 1;
  return tally;
}

void HeapCensus::add(PageIndex page, const PageTally& tally) {
  if (tally.entry.use == PageUse::kFree) {
    ++free_pages;
    return;
  }
  if (tally.entry.use != PageUse::kSmall) ++large_pages;
  if (tally.entry.use == PageUse::kLarge) ++large_objects;
  nodes[tally.entry.node].add(tally.count);
  placements[static_cast<std::size_t>(tally.entry.placement) % kPlacements].add(tally.count);
  for (const auto& [type, count] : tally.types) types[type].add(count);
  if (tally.broken) broken.push_back(page);
}

}  // namespace plurix::tool

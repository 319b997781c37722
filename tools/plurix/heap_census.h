// What stands in a heap, counted page by page. Each page is read in a transaction of its own, so
// that a census of a busy cluster disturbs nobody: every page is as it was at one commit time, the
// sums are of no single one.
#pragma once

#include <plurix/transaction.h>

#include <cstdint>
#include <map>
#include <vector>

namespace plurix::tool {

/// Objects of one type; of the system's own, which have none, under 0.
struct TypeCount {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  ///< of their bodies
  std::uint64_t arrays = 0;
  std::uint64_t unlinked = 0;  ///< nothing keeps them alive

  void add(const TypeCount& other) noexcept;
};

/// Pages of one node, or of one placement.
struct PageCount {
  std::uint64_t pages = 0;
  std::uint64_t empty = 0;  ///< of these: no object on it
  std::uint64_t objects = 0;
  std::uint64_t used_bytes = 0;  ///< of the blocks of small objects, with their headers
  std::uint64_t hole_bytes = 0;

  void add(const PageCount& other) noexcept;
};

/// One page, or the pages of one large object.
struct PageTally {
  heap::PageEntry entry;
  PageCount count;
  std::map<heap::Offset, TypeCount> types;  ///< by descriptor
  bool broken = false;                      ///< its blocks do not tile it
};

PageTally tally_page(Transaction& t, PageIndex page);

struct HeapCensus {
  std::uint64_t free_pages = 0;
  std::uint64_t large_pages = 0;
  std::uint64_t large_objects = 0;
  std::map<NodeId, PageCount> nodes;
  PageCount placements[kPlacements];
  std::map<heap::Offset, TypeCount> types;
  std::vector<PageIndex> broken;

  void add(PageIndex page, const PageTally& tally);
};

/// One block of a page of small objects.
struct Block {
  heap::Offset at = 0;
  heap::Tag tag;
};

/// Calls `visit(Block)` for each block. False if the blocks do not tile the page.
template <class Visit>
bool for_each_block(Transaction& t, PageIndex page, Visit visit) {
  const auto end = heap::offset_of(page) + kPageSize;
  for (auto at = heap::offset_of(page) + sizeof(heap::PageHeader); at < end;) {
    const heap::Tag tag(t.load(at));
    const bool known = tag.is_object() || tag.is_hole();
    if (!known || tag.bytes() < sizeof(heap::Offset) || at + tag.bytes() > end) return false;
    visit(Block{at, tag});
    at += tag.bytes();
  }
  return true;
}

/// Whether small objects stand there: a page of a run that is not used yet holds anything.
bool holds_small_objects(Transaction& t, PageIndex page);

}  // namespace plurix::tool

// Two-stage allocation (paper section 4.2). The memory manager, shared by all nodes, gives away
// runs of whole pages; each node cuts small objects out of its own runs, one placement apart from
// the other, and so touches no page that another node allocates on. Everything here is ordinary
// reads and writes of the current transaction.
#pragma once

#include <plurix/heap/layout.h>

#include <cstdint>
#include <span>

namespace plurix {

class Transaction;

namespace heap {

struct Request {
  std::uint64_t bytes = 0;
  std::uint64_t alignment = kGranule;
  Offset type = 0;
  std::uint64_t flags = 0;  ///< of Tag
  Placement placement = Placement::kReadWrite;
  PageIndex at = kNoPage;  ///< a large object's first page, if it must be that one
};

/// An object's body, whose bytes are whatever stood there before. Ends the transaction as out of
/// memory when there is no room.
Offset allocate(Transaction& t, const Request& request);

/// The same, or 0 when there is no room; nothing has changed then.
Offset try_allocate(Transaction& t, const Request& request);

/// Takes an object's memory back. Its links are cleared already and nothing links to it.
void deallocate(Transaction& t, Offset header);

/// The same for several small objects of one page, which is written once: `places` has a bit for
/// each granule where a header of one of them stands.
void deallocate_together(Transaction& t, PageIndex page, std::span<const std::uint64_t> places);

/// The header of the object whose body begins at `body`, or 0 if none begins there. For an offset
/// that is no object's this is a check against mistakes, not a proof.
Offset header_of(Transaction& t, Offset body);

/// The body of an object.
Offset body_of(Transaction& t, Offset header);

/// Bytes that the body may use, at least as many as were asked for.
std::uint64_t body_bytes(Transaction& t, Offset header);

/// Placement and node of the pages an object stands on.
PageEntry page_entry(Transaction& t, PageIndex page);

/// Gives empty pages of this node back to the manager, looking at `entries` of the page map at
/// most, from the hand on, which is left behind what was looked at; at the heap's end at last.
/// Returns how many were given back; writes nothing if there were none.
std::uint32_t tidy(Transaction& t, PageIndex& hand, std::uint32_t entries);

/// The next page of this node on which at most `most_used` bytes are in use and which it is not
/// filling, at or behind `hand`, going round; looks at `entries` of the page map at most. kNoPage
/// if there is none. The hand is left behind what was looked at. Writes nothing.
PageIndex next_sparse_page(Transaction& t, Placement placement, PageIndex& hand,
                           std::uint32_t entries, std::uint64_t most_used);

/// Nothing more is put on that page by this node before it looks for room again.
void stop_filling(Transaction& t, PageIndex page);

/// Takes over what a node that is gone has of read-write and read-only pages, `pages` of them at
/// most, and gives back the rest of its runs. Returns how many pages that were. What the system
/// itself has on its pages stays for the next node of that number.
std::uint32_t inherit_pages(Transaction& t, NodeId from, std::uint32_t pages);

// ---- what a node knows of its own allocation

/// The hole that is being filled, at the end of which the next one is looked for.
struct Cursor {
  Offset at = 0;
  Offset end = 0;
};

/// Objects whose block is larger go to a cursor of their own, so that one of them does not make the
/// small ones leave a page half filled.
inline constexpr std::uint64_t kSmallBlock = 256;
inline constexpr std::size_t kCursors = 2;

/// Puts an object's block at the front of the cursor's hole, or behind a gap that alignment leaves;
/// place_block has said where. `page` is the hole's page, writable. All of it is one page's.
inline void carve(std::byte* page, Cursor& cursor, Offset block, std::uint64_t bytes,
                  const ObjectHeader& header) noexcept {
  const auto begin = block & ~Offset{kPageSize - 1};
  const auto put = [&](Offset at, Tag tag) {
    *reinterpret_cast<std::uint64_t*>(page + (at - begin)) = tag.word();
  };
  if (block != cursor.at) put(cursor.at, Tag::hole(block - cursor.at));
  cursor.at = block + bytes;
  if (cursor.at < cursor.end) put(cursor.at, Tag::hole(cursor.end - cursor.at));
  auto* counts = reinterpret_cast<PageHeader*>(page);
  ++counts->objects;
  counts->used += bytes;
  *reinterpret_cast<ObjectHeader*>(page + (block - begin)) = header;
}

struct PlacementState {
  Cursor cursor[kCursors];
  PageIndex run_next = 0;  ///< pages of the run that are not used yet
  PageIndex run_end = 0;
  PageIndex hand = 0;             ///< where the search for pages with room goes on
  std::uint32_t run_pages = 0;    ///< size of the last run
  std::uint64_t refilled_at = 0;  ///< commit time
};

inline constexpr std::uint32_t kFilledPages = 64;

/// One object a node, on pages that only this node writes.
struct NodeState {
  PlacementState of[kPlacements];
  Offset candidates = 0;              ///< the newest chunk of the queue (candidates.h)
  std::uint32_t candidate_count = 0;  ///< in that chunk
  std::uint32_t filled_first = 0;     ///< a ring of pages that were filled and not looked at yet
  std::uint32_t filled_count = 0;
  std::uint32_t filled_lost = 0;  ///< pages for which there was no room in the ring
  PageIndex filled[kFilledPages] = {};
  Offset suspended = 0;  ///< candidates whose examination takes several transactions (candidates.h)
};

/// Nothing lives any more on a page, as its header says: if it is one of this node's, it becomes
/// one hole, and if it was being filled, that begins anew, on a page that is at hand.
void begin_anew(Transaction& t, PageIndex page, const PageHeader& header);

/// The state of a node, 0 if it has never allocated.
Offset state_of(Transaction& t, NodeId node);

/// The state of this node, made on first use; 0 if there is no room.
Offset own_state(Transaction& t);

// ---- the memory manager

struct PageRun {
  PageIndex first = 0;
  std::uint32_t count = 0;
};

/// A run of `wanted` free pages, or the longest there is if that is at least `least` pages; none:
/// count 0. The pages are taken then.
PageRun take_pages(Transaction& t, std::uint32_t wanted, std::uint32_t least, PageEntry entry);

/// Takes exactly these pages. False if one of them is taken already; nothing has changed then.
[[nodiscard]] bool take_these_pages(Transaction& t, const PageRun& run, PageEntry entry);

/// Changes what the map says of a page that is taken and stays so.
void set_page_entry(Transaction& t, PageIndex page, PageEntry entry);

/// Gives pages back.
void release_pages(Transaction& t, PageIndex first, std::uint32_t count);

/// The next page at or behind `hand` with that entry, going round. Looks at up to `budget` entries
/// and takes them off it; parts of the map where nothing is taken cost next to nothing. kNoPage if
/// the budget is used up. The hand is left behind the page.
PageIndex next_page_like(Transaction& t, PageEntry entry, PageIndex& hand, std::uint32_t& budget);

/// The next page at or behind `hand` that somebody has; kNoPage if there is none up to the heap's
/// end. The hand is left behind it, or at the end.
PageIndex next_taken_page(Transaction& t, PageIndex& hand);

/// Pages that are given away.
std::uint32_t taken_pages(Transaction& t);

}  // namespace heap
}  // namespace plurix

// Moving large objects to the front of the heap, so that what is free becomes few long runs. Small
// objects are moved by evacuate (relocate.h).
#pragma once

#include <plurix/heap/allocator.h>

namespace plurix::heap {

/// The first `wanted` free pages in a row that end before the page `end`; count 0 if there are
/// none. Takes nothing.
PageRun find_free_pages(Transaction& t, std::uint32_t wanted, PageIndex end);

/// Moves the large object at `body` to the first free pages in front of it that are enough for it,
/// all links with it. Returns where its body stands then; 0 if it stays, because there are none, or
/// it is pinned, or it has more than `most_pages`.
Offset relocate_to_front(Transaction& t, Offset body, std::uint32_t most_pages);

}  // namespace plurix::heap

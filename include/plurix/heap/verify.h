// Whether a heap is sound, object by object: for tests, tools, and whoever doubts. Reads the whole
// heap in one transaction and writes nothing.
//
// Checked: the first pages say what this heap is; the page map agrees with itself, with its summary
// and with the pages; every page of small objects is tiled by blocks, none of which leaves it, and
// belongs to one node and one placement (DESIGN H4); large objects have their pages to themselves;
// every link leads to the beginning of a live object and is one entry of its backchain, and a chain
// has no other entries (H1); types and names are valid.
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/heap/layout.h>

#include <cstdint>

namespace plurix {

class Transaction;

/// Something that is wrong: a sentence, and where.
struct HeapFinding {
  const char* what = "";
  std::uint64_t at = 0;     ///< offset of the page, block or link
  std::uint64_t other = 0;  ///< of what it does not agree with, or 0
};

struct HeapReport {
  static constexpr std::size_t kMaxFindings = 16;

  BoundedVector<HeapFinding, kMaxFindings> findings;  ///< the first ones
  std::uint64_t wrong = 0;                            ///< how many there are

  std::uint64_t pages_taken = 0;
  std::uint64_t pages_large = 0;
  std::uint64_t objects = 0;         ///< without the system's own
  std::uint64_t system_objects = 0;  ///< types, allocation state, queues
  std::uint64_t object_bytes = 0;    ///< of all bodies
  std::uint64_t hole_bytes = 0;      ///< free room on pages of small objects
  std::uint64_t links = 0;
  std::uint64_t weak_links = 0;
  std::uint64_t types = 0;
  std::uint64_t names = 0;
  std::uint64_t unlinked = 0;  ///< objects that nothing keeps alive

  bool ok() const noexcept { return wrong == 0; }
};

HeapReport verify_heap(Transaction& t);

}  // namespace plurix

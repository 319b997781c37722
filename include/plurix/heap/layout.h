// How the heap is divided: the first pages, which say what this heap is and where everything else
// stands, the map of its pages, and what pages of small objects and objects begin with.
// docs/heap.md draws it. Offsets count bytes from the heap's base; 0 is "none".
//
// Only the root block is written before the first commit. Every other table starts as zeros, which
// is what a page that no commit has named reads as, so a large heap costs nothing to create.
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/base/page.h>

#include <cstring>
#include <type_traits>

namespace plurix {

inline constexpr std::uint64_t kHeapMagic = 0x3250414548585250;  // "PRXHEAP2"

/// Pages the founder writes by itself: the root block.
inline constexpr PageIndex kFormattedPages = 1;

/// Page 0: what this heap is. Never changed.
struct RootBlock {
  std::uint64_t magic = kHeapMagic;
  std::uint64_t base = 0;
  std::uint32_t pages = 0;
  std::uint32_t format = 0;
  std::uint32_t page_size = kPageSize;
  std::uint32_t max_nodes = kMaxNodes;
};
static_assert(std::is_trivially_copyable_v<RootBlock>);

/// Writes the first page of a fresh, zeroed heap.
inline void format_heap(std::byte* frames, const HeapGeometry& geometry) noexcept {
  RootBlock block;
  block.base = geometry.base;
  block.pages = geometry.pages;
  block.format = geometry.format;
  std::memcpy(frames, &block, sizeof block);
}

/// What an object is for, which decides the pages it shares (paper sections 4.2.2 and 4.3): objects
/// of two placements never stand on one page.
enum class Placement : std::uint8_t {
  kReadWrite,
  kReadOnly,         ///< written seldom: types, names
  kSystemReadWrite,  ///< the system's, used by the node that made it only
  kSystemReadOnly,   ///< the system's, needed on every node at all times: code
};
inline constexpr std::size_t kPlacements = 4;

namespace heap {

/// Bytes from the heap's base; 0: none (there stands the root block).
using Offset = std::uint64_t;

// ---- the page map

enum class PageUse : std::uint8_t {
  kFree,
  kSmall,      ///< objects of one node and one placement, or still empty in that node's run
  kLarge,      ///< the first page of an object larger than a page holds
  kLargeRest,  ///< its other pages
};

struct PageEntry {
  PageUse use = PageUse::kFree;
  Placement placement = Placement::kReadWrite;
  std::uint8_t node = 0;  ///< who allocates on it
  std::uint8_t reserved = 0;

  friend constexpr bool operator==(const PageEntry&, const PageEntry&) noexcept = default;
};
static_assert(sizeof(PageEntry) == 4 && kMaxNodes <= 256);

inline constexpr std::uint32_t kEntriesPerMapPage = kPageSize / sizeof(PageEntry);
inline constexpr std::uint32_t kWordsPerPage = kPageSize / sizeof(std::uint64_t);

/// Where the fixed tables stand.
struct Regions {
  static constexpr PageIndex kManager = 1;
  static constexpr PageIndex kTypes = 2;
  static constexpr PageIndex kNodes = 3;
  static constexpr PageIndex kRoots = 4;

  PageIndex summary = 5;      ///< of each page of the map: how many entries are taken (16 bits)
  PageIndex map = 0;          ///< a PageEntry for each page
  PageIndex large_index = 0;  ///< for each page the header of the large object that begins there
  PageIndex first = 0;        ///< the first page given to objects
  PageIndex end = 0;          ///< behind the last one

  constexpr std::uint32_t map_pages() const noexcept { return large_index - map; }
};

constexpr std::uint32_t pages_for(std::uint64_t bytes) noexcept {
  return static_cast<std::uint32_t>((bytes + kPageSize - 1) >> kPageShift);
}

constexpr Regions regions(std::uint32_t pages) noexcept {
  Regions r;
  const auto map_pages = pages_for(std::uint64_t{pages} * sizeof(PageEntry));
  r.map = r.summary + pages_for(std::uint64_t{map_pages} * sizeof(std::uint16_t));
  r.large_index = r.map + map_pages;
  r.first = r.large_index + pages_for(std::uint64_t{pages} * sizeof(Offset));
  r.end = pages;
  return r;
}

constexpr Offset offset_of(PageIndex page) noexcept { return Offset{page} << kPageShift; }

/// Page kManager: the memory manager's own state. Zeros at first.
struct ManagerState {
  std::uint32_t taken = 0;            ///< pages given away
  std::uint32_t next_search = 0;      ///< where the next search for free pages begins
  std::uint64_t lost_candidates = 0;  ///< see candidates.h: a full heap could not write them down
};

// ---- blocks: what a page of small objects is tiled with

/// The first word of every block: its size in bytes, and what it is. Blocks follow each other from
/// behind the PageHeader to the end of the page, so a page can be walked. An object's tag also says
/// who allocated it and for what, which has to agree with its page.
class Tag {
 public:
  static constexpr std::uint64_t kObject = 0xb5;
  static constexpr std::uint64_t kHole = 0xf3;

  static constexpr std::uint64_t kArray = 1u << 0;      ///< a count, then that many elements
  static constexpr std::uint64_t kLarge = 1u << 1;      ///< only the header; the body is elsewhere
  static constexpr std::uint64_t kPinned = 1u << 2;     ///< found by its address: never moved
  static constexpr std::uint64_t kCandidate = 1u << 3;  ///< stands in a queue of candidates
  static constexpr std::uint64_t kLinkless = 1u << 4;   ///< has no type descriptor and no links
  static constexpr std::uint64_t kLostAgain = 1u << 5;  ///< see heap::Candidate

  constexpr Tag() noexcept = default;
  constexpr explicit Tag(std::uint64_t word) noexcept : word_(word) {}
  static constexpr Tag object(std::uint64_t bytes, Placement placement, NodeId node,
                              std::uint64_t flags) noexcept {
    return Tag(kObject << 56 | flags << 32 |
               std::uint64_t{static_cast<std::uint8_t>(placement)} << 24 |
               std::uint64_t{node} << 16 | bytes);
  }
  static constexpr Tag hole(std::uint64_t bytes) noexcept { return Tag(kHole << 56 | bytes); }

  constexpr std::uint64_t word() const noexcept { return word_; }
  constexpr std::uint64_t bytes() const noexcept { return word_ & 0xffff; }
  constexpr NodeId node() const noexcept { return (word_ >> 16) & 0xff; }
  constexpr Placement placement() const noexcept {
    return static_cast<Placement>((word_ >> 24) & 0xff);
  }
  constexpr std::uint64_t flags() const noexcept { return (word_ >> 32) & 0xffff; }
  constexpr bool is_object() const noexcept { return word_ >> 56 == kObject; }
  constexpr bool is_hole() const noexcept { return word_ >> 56 == kHole; }
  constexpr bool has(std::uint64_t flag) const noexcept { return (flags() & flag) != 0; }
  /// How often the object was moved because it was falsely shared, up to kMostMoves.
  static constexpr unsigned kMostMoves = 15;
  constexpr unsigned moves() const noexcept { return static_cast<unsigned>(flags() >> 12); }
  constexpr Tag moved_once_more() const noexcept {
    return moves() == kMostMoves ? *this : Tag(word_ + (std::uint64_t{1} << 44));
  }
  constexpr Tag of_node(NodeId node) const noexcept {
    return Tag((word_ & ~(std::uint64_t{0xff} << 16)) | std::uint64_t{node} << 16);
  }
  constexpr Tag with(std::uint64_t flag) const noexcept { return Tag(word_ | flag << 32); }
  constexpr Tag without(std::uint64_t flag) const noexcept { return Tag(word_ & ~(flag << 32)); }

  /// The node whose collector is about to free the object, with the rest of a cycle; kNoNode: none.
  /// Whatever links to the object anew, and whoever moves it, takes this mark off.
  constexpr NodeId condemner() const noexcept {
    const auto mark = (word_ >> kCondemnerShift) & 0xff;
    return mark == 0 ? kNoNode : static_cast<NodeId>(mark - 1);
  }
  constexpr bool is_condemned() const noexcept { return (word_ >> kCondemnerShift & 0xff) != 0; }
  constexpr Tag condemned_by(NodeId node) const noexcept {
    return Tag(spared().word_ | (std::uint64_t{node} + 1) << kCondemnerShift);
  }
  constexpr Tag spared() const noexcept {
    return Tag(word_ & ~(std::uint64_t{0xff} << kCondemnerShift));
  }

 private:
  static constexpr unsigned kCondemnerShift = 48;

  std::uint64_t word_ = 0;
};
static_assert(kPageSize <= 0xffff && kMaxNodes < 0xff);

/// In front of every object. `chain` is the head of the backchain (backchain.h).
struct ObjectHeader {
  std::uint64_t tag;
  Offset type;  ///< the descriptor (type.h); 0 if linkless
  Offset chain;
};
static_assert(sizeof(ObjectHeader) == 24);
inline constexpr Offset kTagAt = 0;
inline constexpr Offset kTypeAt = 8;
inline constexpr Offset kChainAt = 16;

/// The header of an object that has pages of its own stands among its node's small objects, so that
/// linking to it does not write its pages, and so that they begin with its first byte.
struct LargeHeader {
  ObjectHeader object;
  Offset body;
  std::uint64_t bytes;
};
inline constexpr Offset kBodyAt = 24;
inline constexpr Offset kBodyBytesAt = 32;

/// The beginning of a page of small objects. Everything about such a page is on the page itself:
/// whoever frees an object there writes nothing else.
struct PageHeader {
  static constexpr std::uint32_t kMagic = 0x53505258;  // "XRPS"

  std::uint32_t magic = kMagic;
  Placement placement = Placement::kReadWrite;
  std::uint8_t node = 0;
  std::uint16_t objects = 0;  ///< live ones
  std::uint64_t used = 0;     ///< bytes of their blocks
};
static_assert(sizeof(PageHeader) == 16);

inline constexpr std::uint64_t kGranule = 8;
inline constexpr std::uint64_t kRoomOfPage = kPageSize - sizeof(PageHeader);

/// Whether an object with a body of so many bytes has pages of its own.
constexpr bool is_large(std::uint64_t bytes) noexcept {
  return bytes + sizeof(ObjectHeader) > kRoomOfPage;
}

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) noexcept {
  return (value + alignment - 1) & ~(alignment - 1);
}

constexpr std::uint64_t block_bytes(std::uint64_t body) noexcept {
  return align_up(sizeof(ObjectHeader) + (body == 0 ? 1 : body), kGranule);
}

/// Where the block of a small object goes in the hole [at, end), or 0: the body is aligned and the
/// block does not leave the page.
constexpr Offset place_block(Offset at, Offset end, std::uint64_t bytes,
                             std::uint64_t alignment) noexcept {
  const auto block = align_up(at + sizeof(ObjectHeader), alignment) - sizeof(ObjectHeader);
  if (block + bytes <= end) return block;
  return mutated("object_straddles_pages") && block + bytes <= end + kGranule ? block : 0;
}

}  // namespace heap
}  // namespace plurix

// The backchain: a list of all links to an object, kept in the links themselves (paper section
// 2.4). `ObjectHeader::chain` is the offset of the first slot; each slot knows the next one, and
// the word that points to it, which is the header's or the slot's before. So a link is entered and
// removed in O(1), without knowing the object.
//
// A popular object may have a chain a node instead: the chain word then leads to a table with a
// cell for each node, each on pages of its node, and two nodes that link to the object write no
// page in common.
#pragma once

#include <plurix/heap/layout.h>

namespace plurix {

class Transaction;

namespace heap {

/// A link in the heap, as words.
inline constexpr Offset kTargetAt = 0;
inline constexpr Offset kNextAt = 8;
inline constexpr Offset kBackAt = 16;

/// Flags in the low bits of a link's target.
inline constexpr std::uint64_t kWeak = 1;
inline constexpr std::uint64_t kOfCollector = 2;  ///< weak, in a queue: only collectors follow it
inline constexpr std::uint64_t kTargetFlags = 7;

/// In a chain word: the rest is the offset of a SegmentTable.
inline constexpr std::uint64_t kSegmented = 1;

/// The body of the table of a popular object: for each node its cell, 0 if it has none yet.
struct SegmentTable {
  Offset cell[kMaxNodes];
};

/// A program has come to the object at `target` by a weak link. If a collector has condemned it, it
/// is spared as soon as this transaction stores a link, which may lead to whatever is behind it.
void follow_weak_link(Transaction& t, Offset target);

/// Sets the link at `slot` to `target`, a body or 0, with flags. The old target loses its entry.
void set_link(Transaction& t, Offset slot, Offset target, std::uint64_t flags);

/// Removes the link at `slot` without telling the collector.
void remove_link(Transaction& t, Offset slot);

/// The same, but the link is left as it is: its object is about to go.
void leave_chain(Transaction& t, Offset slot);

/// Moves a link with its entry to another place; the old place is left as it is.
void move_link(Transaction& t, Offset from, Offset to);

/// Gives the object at `body` a chain a node. Does nothing if it has them.
void segment_chain(Transaction& t, Offset body);

/// Whether a link keeps the object alive.
bool is_linked(Transaction& t, Offset header);

/// How far a walk along a chain has come.
struct ChainPosition {
  Offset at = 0;           ///< the next entry's slot
  std::uint32_t node = 0;  ///< whose cell of a popular object comes after this one
};

/// Goes through the entries of the object's chains. The entry that is visited may be removed
/// meanwhile.
class ChainWalk {
 public:
  ChainWalk(Transaction& t, Offset header);

  /// Goes on where another walk, perhaps in an earlier transaction, has stopped: at the beginning
  /// if what came next there is not an entry of this object any more.
  ChainWalk(Transaction& t, Offset header, const ChainPosition& position);

  /// The next entry's slot; 0 behind the last.
  Offset next();

  ChainPosition position() const noexcept { return {at_, node_}; }

 private:
  void skip_empty();

  Transaction& t_;
  Offset table_ = 0;
  std::uint32_t node_ = 0;
  Offset at_ = 0;
};

}  // namespace heap
}  // namespace plurix

// Keeps the heap on few pages, in the background. Each step is one small transaction, or none:
//
// - pages of nodes that are gone are inherited by the member with the lowest number;
// - own pages on which little lives are emptied: their objects move to where there is room;
// - large objects move to the front, so that what is free becomes long runs;
// - empty pages go back to the memory manager;
// - the memory behind pages that nobody has goes back to the operating system, on this node.
//
// An object is moved by one transaction, which writes all of its pages: whoever was able to make it
// is able to move it, unless its links have their neighbours on too many other pages. One that this
// node's write set has no room for is left where it is, and counted.
//
// A step that finds nothing to do writes nothing. Each node compacts its own pages, so all of them
// together compact the heap, and none stops another.
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/outcome.h>
#include <plurix/transaction.h>

#include <cstdint>
#include <span>

namespace plurix::gc {

struct CompactorCounters {
  std::uint64_t inherited = 0;   ///< pages of nodes that are gone
  std::uint64_t emptied = 0;     ///< pages whose objects were moved
  std::uint64_t moved = 0;       ///< objects from pages that were emptied
  std::uint64_t large = 0;       ///< large objects that were moved to the front
  std::uint64_t too_large = 0;   ///< times that one was left: a write set has no room for it
  std::uint64_t given_back = 0;  ///< pages, to the memory manager
  std::uint64_t forgotten = 0;   ///< pages whose memory was given back to the system
};

class Compactor {
 public:
  /// Between transactions. False when it has gone once around and found nothing: time to rest.
  template <class Node>
  bool step(Node& node) {
    const auto& protocol = node.protocol();
    const std::span<const bool> members(protocol.core().is_member);
    most_pages_ = protocol.core().config.shadow_pages;
    Found found;
    const auto outcome = node.try_run([&](Transaction& t) {
      moving_ = kNoPage;
      found = work(t, members);
    });
    if (!outcome.committed()) return give_up(outcome.status == Status::kOutOfMemory);
    for (const auto& run : found.unused) {
      node.forget_pages(run.first, run.count, outcome.commit_time);
      found.count.forgotten += run.count;
    }
    return note(found);
  }

  const CompactorCounters& counters() const noexcept { return counters_; }

 private:
  enum class Stage : std::uint8_t { kInherit, kReadWrite, kReadOnly, kLarge, kForget };

  /// What one step has done, and where the next one goes on.
  struct Found {
    CompactorCounters count;
    BoundedVector<heap::PageRun, 16> unused;
    PageIndex hand = 0;
    bool stage_over = false;
    std::uint32_t taken = 0;  ///< pages, of the whole heap
  };

  Found work(Transaction& t, std::span<const bool> members);
  void inherit(Transaction& t, std::span<const bool> members, Found& found) const;
  void compact(Transaction& t, Placement placement, Found& found) const;
  void move_large(Transaction& t, Found& found);
  void look_for_unused(Transaction& t, Found& found) const;
  bool give_up(bool no_room) noexcept;
  bool note(const Found& found) noexcept;

  CompactorCounters counters_;
  Stage stage_ = Stage::kInherit;
  PageIndex hand_ = 0;
  PageIndex moving_ = kNoPage;      ///< where the large object stands that this step moves
  std::uint32_t most_pages_ = 0;    ///< that a transaction writes
  std::uint32_t forgotten_at_ = 0;  ///< most pages taken since it last looked for unused ones
  bool busy_lap_ = false;
};

}  // namespace plurix::gc

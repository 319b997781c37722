// CycleDetector: whether something still leads to an object from a root, found by following the
// backchains from the object upwards, inside one transaction. If no root is met, everything that
// was met is garbage: nothing outside of it leads to it. What was found alive on the way is known
// for the rest of the transaction.
//
// The search goes upwards in turns from what was met first and from what was met last: so a root
// nearby is found soon in a wide graph as in a deep one.
#pragma once

#include <plurix/gc/containers.h>
#include <plurix/gc/object_set.h>
#include <plurix/gc/work.h>

#include <cstdint>
#include <span>

namespace plurix::gc {

enum class Finding : std::uint8_t {
  kAlive,
  kGarbage,    ///< with all of members()
  kUndecided,  ///< the work is used up, or the table is
};

class CycleDetector {
 public:
  explicit CycleDetector(Containers& containers) noexcept : containers_(containers) {}

  /// A new attempt knows nothing.
  void forget() noexcept;

  /// Within an attempt: what was found alive may not be, because others were believed to be.
  void forget_alive() noexcept;

  /// What is in `known` leads the search to an end as a root does; what is found alive is added to
  /// it.
  Finding examine(Transaction& t, heap::Offset header, ObjectSet* known, Work& work);

  /// What the last examination has met, the object first.
  std::size_t member_count() const noexcept { return met_count_; }
  heap::Offset member(std::size_t i) const noexcept { return table_[met_[i]].header; }
  bool is_member(heap::Offset header) const noexcept;

 private:
  static constexpr std::uint32_t kPlaces = 4096;
  static constexpr std::uint32_t kMost = kPlaces / 2;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Entry {
    heap::Offset header = 0;
    std::uint32_t attempt = 0;     ///< the entry is void if this is not the current one
    std::uint32_t search = 0;      ///< the examination that has met it last
    std::uint32_t parent = kNone;  ///< what it leads to
    std::uint32_t below = kNone;   ///< met before it and not looked at, as far as that is known
    bool alive = false;
    bool looked_at = false;
  };

  Entry& entry_of(heap::Offset header, std::uint32_t& place) noexcept;
  bool meet(heap::Offset header, std::uint32_t parent) noexcept;
  std::uint32_t choose() noexcept;
  bool looks_alive(Transaction& t, std::uint32_t place, Work& work);
  void mark_alive(std::uint32_t place) noexcept;

  Containers& containers_;
  Entry table_[kPlaces];
  std::uint32_t met_[kMost];  ///< places, in the order of meeting
  std::uint32_t met_count_ = 0;
  std::uint32_t first_ = 0;     ///< of met_, not looked at
  std::uint32_t last_ = kNone;  ///< place met last and not looked at
  ObjectSet* known_ = nullptr;
  std::uint32_t attempt_ = 0;
  std::uint32_t used_ = 0;
  std::uint32_t search_ = 0;
  bool turn_ = false;
  bool full_ = false;
};

}  // namespace plurix::gc

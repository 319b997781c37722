// CycleDetector: whether something still leads to an object from a root, found by following the
// backchains from the object upwards, inside one transaction. If no root is met, everything that
// was met is garbage: nothing outside of it leads to it.
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
  static constexpr std::size_t storage_needed(std::uint32_t pages) noexcept {
    return ObjectSet::storage_needed(pages);
  }

  CycleDetector(std::uint32_t pages, std::span<std::byte>& storage, Containers& containers) noexcept
      : containers_(containers), members_(pages, storage) {}

  /// What is in `known` leads the search to an end as a root does; what is found alive is added to
  /// it.
  Finding examine(Transaction& t, heap::Offset header, ObjectSet* known, Work& work);

  /// What the last examination has met, the object first.
  std::size_t member_count() const noexcept { return met_count_; }
  heap::Offset member(std::size_t i) const noexcept { return met_[i].header; }
  bool is_member(heap::Offset header) const noexcept { return members_.contains(header); }

  /// Whether weak links lead to some of that.
  bool has_met_weak_links() const noexcept { return weak_; }

  /// How many other links lead to that.
  std::size_t met_links() const noexcept { return links_; }

 private:
  static constexpr std::uint32_t kMost = 2048;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// Objects are named by their places in met_, which is the order of meeting.
  struct Met {
    heap::Offset header = 0;
    std::uint32_t parent = kNone;  ///< what it leads to
    std::uint32_t below = kNone;   ///< met before it and not looked at, as far as that is known
    bool looked_at = false;
  };

  void forget() noexcept;
  bool meet(heap::Offset header, std::uint32_t parent) noexcept;
  std::uint32_t choose() noexcept;
  bool looks_alive(Transaction& t, std::uint32_t place, Work& work);
  bool looks_alive_by_table(Transaction& t, std::uint32_t place, Work& work);
  bool leads_from_a_root(Transaction& t, heap::Offset slot, std::uint32_t place, Work& work);
  void mark_alive(std::uint32_t place) noexcept;

  Containers& containers_;
  ObjectSet members_;
  Met met_[kMost];
  std::uint32_t met_count_ = 0;
  std::uint32_t first_ = 0;     ///< not looked at
  std::uint32_t last_ = kNone;  ///< met last and not looked at
  std::uint32_t links_ = 0;
  ObjectSet* known_ = nullptr;
  bool turn_ = false;
  bool full_ = false;
  bool weak_ = false;
};

}  // namespace plurix::gc

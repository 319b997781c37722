// Trial: decides about one candidate that takes more than one transaction, and frees what is found
// to be garbage. In between other nodes commit, so nothing that was read may be believed later;
// docs/collector.md has the argument. The stages, each in as many transactions as it needs:
//
//   search      upwards from the candidate along the backchains, reading only. A root: it is alive,
//               and so is what that root leads to among what was met (spread)
//   condemn     marks everything that was met. Whoever links to it from now on takes the mark off
//   verify      whatever leads to a condemned object is condemned too
//   check       all marks are still there: so nothing has led to any of it since they all were
//   cut off     weak links from outside are cleared; then all marks are checked once more
//   free        nobody can reach it any more, so now it can be taken apart piece by piece; the
//               candidate last, so that the heap tells of a trial that is cut short
//
// What was met stands in a set of places in local memory; the candidate itself is kept in the heap.
#pragma once

#include <plurix/gc/containers.h>
#include <plurix/gc/object_set.h>
#include <plurix/gc/reaper.h>
#include <plurix/gc/work.h>
#include <plurix/heap/backchain.h>

#include <cstdint>

namespace plurix::gc {

class Trial {
 public:
  enum class Stage : std::uint8_t {
    kNone,
    kSearch,
    kSpread,
    kCondemn,
    kVerify,
    kCheck,
    kCutOff,
    kCheckAgain,
    kFree,
    kFreeCandidate,
  };

  enum class Result : std::uint8_t {
    kMore,    ///< the next transaction goes on
    kAlive,   ///< a root leads to the candidate
    kFreed,   ///< it was garbage, and is gone
    kFailed,  ///< somebody has changed something meanwhile: to be tried again
  };

  /// What a transaction changes of it, as far as the transaction commits.
  struct Progress {
    Stage stage = Stage::kNone;
    heap::Offset next = 0;      ///< where the stage goes on in the set
    heap::ChainPosition chain;  ///< and in the backchain of the object there
    heap::Offset candidate = 0;
    bool weak_outside = false;
  };

  static constexpr std::size_t storage_needed(std::uint32_t pages) noexcept {
    return 2 * ObjectSet::storage_needed(pages);
  }

  Trial(std::uint32_t pages, std::span<std::byte>& storage, Containers& containers,
        Reaper& reaper) noexcept
      : met_(pages, storage), overflow_(pages, storage), containers_(containers), reaper_(reaper) {}

  /// Begins with the candidate at `header`.
  void begin(heap::Offset header, Progress& progress) noexcept;

  /// Goes on as far as the work allows. What it does to `progress` must be forgotten if the
  /// transaction does not commit. What stands in `alive` ends the search like a root; what is found
  /// alive is added to it. There may be no such set.
  Result go_on(Transaction& t, Progress& progress, ObjectSet* alive, Work& work);

  std::size_t met() const noexcept { return met_.size(); }

 private:
  enum class Step : std::uint8_t { kDone, kUsedUp, kRoot, kChanged };

  static constexpr std::size_t kQueued = 1024;

  void meet(heap::Offset header) noexcept;
  heap::Offset choose() noexcept;

  Step carry_on(Transaction& t, Progress& progress, const ObjectSet* alive, Work& work);
  Step search(Transaction& t, const ObjectSet* alive, Work& work);
  void begin_spreading(ObjectSet& alive) noexcept;
  Step spread(Transaction& t, ObjectSet& alive, Work& work);
  void spread_from(Transaction& t, heap::Offset header, ObjectSet& alive, Work& work);
  void enqueue(heap::Offset header) noexcept;
  Step look_at_entry(Transaction& t, heap::Offset slot, const ObjectSet* alive);
  Step sweep(Transaction& t, Progress& progress, Work& work);
  Step treat(Transaction& t, heap::Offset header, Progress& progress, Work& work);
  Step condemn(Transaction& t, heap::Offset header, Work& work);
  Step verify(Transaction& t, heap::Offset header, Progress& progress, Work& work);
  Step cut_off(Transaction& t, heap::Offset header, Progress& progress, Work& work);
  Step free(Transaction& t, heap::Offset header, Work& work);
  bool is_condemned(Transaction& t, heap::Offset header);
  bool is_weak_from_outside(Transaction& t, heap::Offset slot);

  ObjectSet met_;
  ObjectSet overflow_;  ///< met and not looked at, for which there was no room in the queue
  Containers& containers_;
  Reaper& reaper_;

  // The queue of what is to be looked at, taken from in turns at both ends.
  heap::Offset queue_[kQueued];
  std::size_t first_ = 0;
  std::size_t queued_ = 0;
  bool turn_ = false;
  heap::Offset looking_at_ = 0;
  heap::ChainPosition looking_;
};

}  // namespace plurix::gc

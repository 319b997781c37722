// Collector: frees what nothing leads to any more, cycles included, in small transactions between
// those of the program. Each node runs one, on the objects that its own transactions have unlinked
// or made. What it follows are candidates, not the heap: an object whose backchain lost an entry is
// queued by whoever removed the link; an object that was never linked is found on the pages that
// its node has filled.
//
// docs/collector.md says why it is right while other nodes commit, and what it costs.
#pragma once

#include <plurix/gc/cycle_detector.h>
#include <plurix/gc/trial.h>
#include <plurix/heap/allocator.h>

#include <cstdint>
#include <span>

namespace plurix::gc {

/// What the collector of one node has done, in committed transactions.
struct CollectorCounters {
  std::uint64_t candidates = 0;  ///< taken out of the queue
  std::uint64_t alive = 0;       ///< of these and of new objects: found alive by a search
  std::uint64_t freed = 0;
  std::uint64_t cycles = 0;         ///< found dead in one transaction
  std::uint64_t suspended = 0;      ///< candidates for which one transaction was not enough
  std::uint64_t trials_alive = 0;   ///< of these: a root leads to it
  std::uint64_t trials_freed = 0;   ///< freed, with everything that leads to it
  std::uint64_t trials_failed = 0;  ///< tried again, because something had changed meanwhile
  std::uint64_t pages_looked_at = 0;
  std::uint64_t sweeps = 0;  ///< through all pages, because candidates were lost
  std::uint64_t work = 0;    ///< units (work.h)
};

/// When a step is made.
enum class Occasion : std::uint8_t {
  kBetweenTransactions,  ///< the program goes on: only what must be done
  kIdle,                 ///< also looks at pages that are not full yet and gives empty ones back
};

/// Which nodes are members, and which this one is.
struct Members {
  std::uint64_t mask = 0;
  NodeId self = kNoNode;
};

class Collector {
 public:
  /// Zeroed bytes it needs for a heap of so many pages; what is not used is not touched.
  static constexpr std::size_t storage_needed(std::uint32_t pages) noexcept {
    return CycleDetector::storage_needed(pages) + Reaper::storage_needed(pages) +
           Trial::storage_needed(pages) + ObjectSet::storage_needed(pages);
  }

  Collector(std::uint32_t pages, std::span<std::byte> storage) noexcept
      : detector_(pages, storage, containers_),
        reaper_(pages, storage, containers_),
        trial_(pages, storage, containers_, reaper_),
        alive_(pages, storage) {}
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// One step: does no more than the budget allows, as part of the transaction. True if there may
  /// be more to do.
  bool step(Transaction& t, Occasion occasion, const Members& members, Epoch epoch,
            const Budget& budget);

  /// To be called before a step if this node has committed anything else since the last one: what
  /// was found alive may have died by that, and candidates were perhaps entered.
  void forget_alive() noexcept;

  const CollectorCounters& counters() const noexcept { return kept_.counters; }

 private:
  static_assert(kMaxNodes <= 64);

  /// Where it goes through the objects of a page.
  struct Scan {
    PageIndex page = kNoPage;
    heap::Offset at = 0;
  };

  /// Going through the pages of one node, or of all.
  struct Sweep {
    bool on = false;
    bool all = false;
    PageIndex next = 0;
  };

  /// What a step changes, forgotten if its transaction does not commit.
  struct State {
    Scan scan;
    Sweep sweep;
    Trial::Progress trial;
    heap::Offset trial_slot = 0;          ///< keeps the candidate of the trial; 0: there is none
    std::uint64_t spread_generation = 0;  ///< of alive_, when the trial began to spread
    std::uint32_t trial_place = 0;        ///< where the next one is looked for
    std::uint32_t rest = 0;               ///< steps before a trial that failed is tried again
    std::uint32_t next_rest = 0;
    std::uint64_t adopted = 0;  ///< nodes that are gone and whose candidates were taken over
    std::uint64_t members = 0;  ///< when that was last looked at
    Epoch epoch = 0;
    bool trials_turn = false;
    bool started = false;
    std::uint32_t filled_left = 0;  ///< pages that were full when the set was emptied
    std::uint32_t untidy = 0;       ///< pages to look at for empty ones, from the hand on
    PageIndex tidy_hand = 0;
    heap::Offset looked_at[kPlacements][heap::kCursors] = {};
    CollectorCounters counters;
  };

  /// How the collector came to look at an object.
  enum class Origin : std::uint8_t {
    kQueue,
    kNew,
    kAdopted,  ///< from the queue of a node that is gone
  };

  void begin_step(Epoch epoch, const Budget& budget);
  bool work_on(Transaction& t, Occasion occasion, Work& work);
  bool start_something(Transaction& t, Occasion occasion, Work& work);

  bool work_on_trial(Transaction& t, Work& work);
  bool begin_trial(Transaction& t, heap::Offset& slot);
  void end_trial(Transaction& t, Trial::Result result);

  void examine(Transaction& t, heap::Offset header, Origin origin, Work& work);
  void search(Transaction& t, heap::Offset header, Origin origin, Work& work);
  void free_alone(Transaction& t, heap::Offset header, Work& work);
  bool free_members(Transaction& t, Work& work);
  bool free_closed_members(Transaction& t, Work& work);
  bool announce_members(Transaction& t, const Doomed& doomed, const Work& work);
  void suspend(Transaction& t, heap::Offset header, Work& work);

  void scan_page(PageIndex page) noexcept;
  void go_on_scanning(Transaction& t, Work& work);
  bool scan_a_filled_page(Transaction& t);
  bool scan_a_cursors_page(Transaction& t);
  void go_on_sweeping(Transaction& t, Work& work);
  void begin_sweep(bool all) noexcept;
  bool needs_sweep(Transaction& t);
  bool adopt(Transaction& t, Work& work);
  bool tidy(Transaction& t, Work& work);

  Containers containers_;
  CycleDetector detector_;
  Reaper reaper_;
  Trial trial_;
  ObjectSet alive_;  ///< found alive after the last of this node's candidates was entered
  std::uint64_t generation_ = 0;  ///< of alive_
  State kept_;
  State now_;
  Members members_;
  bool searched_ = false;  ///< in this step
  bool stuck_ = false;     ///< this step cannot do more although work is left
};

}  // namespace plurix::gc

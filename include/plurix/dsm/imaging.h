// Images of the whole heap at one commit time, while the cluster works on (paper section 5, DESIGN
// C1, C3).
//
//   PageServer commits a kImage record: its commit time T is the image's time → pages changed since
//   the image before that are here go to the store → the others are asked for: ImageRequest →
//   ImagePage → all there: the store makes them durable → ImageNotice
//
// A page that is written again after T is kept as it was at T by the node that writes it: every
// node applies the kImage record before it makes a commit behind T, so it knows. The PageServer
// sees in the commit records who that was.
//
// Invariants
// - What goes to the store are the contents of the page at T, of every page changed since the image
//   before, or the image is given up. Without a rule for every page there would be no image at one
//   commit time (C1).
// - The pages kept for an image are bounded. Where they do not suffice the image is given up; no
//   commit ever waits for it.
// - An image belongs to its epoch: a new one gives it up.
#pragma once

#include <plurix/dsm/attempt.h>

namespace plurix {

/// Every member's part: pages as they were.
class PreImages {
 public:
  PreImages(CoreContext& core, Arena& arena) noexcept
      : core_(core),
        pages_(arena.take<PageIndex>(core.config.pre_images)),
        contents_(arena.take<std::byte>(std::size_t{core.config.pre_images} * kPageSize)) {}

  void begin(CommitTime time, CommitTime since) noexcept;
  void end() noexcept { active_ = false; }
  /// The image of `time` is durable: an older one's notice may come late and ends nothing.
  void end_of(CommitTime time) noexcept {
    if (time_ <= time) active_ = false;
  }
  bool taking(CommitTime time) const noexcept { return active_ && time_ == time; }

  /// `page`, last written at `written`, is about to be superseded.
  void keep(PageIndex page, CommitTime written, Bytes contents) noexcept;

  /// Something of the image was lost here for lack of room.
  bool overflown() const noexcept { return overflown_; }

  /// Empty if the page is not kept.
  Bytes find(PageIndex page) const noexcept;

 private:
  CoreContext& core_;
  std::span<PageIndex> pages_;
  std::span<std::byte> contents_;
  std::size_t used_ = 0;
  bool active_ = false;
  bool overflown_ = false;
  CommitTime time_;
  CommitTime since_;
};

class Imaging {
 public:
  Imaging(CoreContext& core, PageDirectory& directory, Attempt& attempt, Arena& arena) noexcept
      : core_(core),
        directory_(directory),
        attempt_(attempt),
        pre_images_(core, arena),
        task_(arena.take<Task>(tasks(core.config))),
        keeper_(arena.take<NodeId>(tasks(core.config))),
        next_(arena.take<PageIndex>(tasks(core.config))),
        overheard_(arena.take<CommitTime>(tasks(core.config))) {}

  /// Takes from `arena` what an object of this configuration takes.
  static void count_storage(const CoreConfig& config, Arena& arena) noexcept {
    (void)arena.take<PageIndex>(config.pre_images);
    (void)arena.take<std::byte>(std::size_t{config.pre_images} * kPageSize);
    (void)arena.take<Task>(tasks(config));
    (void)arena.take<NodeId>(tasks(config));
    (void)arena.take<PageIndex>(tasks(config));
    (void)arena.take<CommitTime>(tasks(config));
  }

  // ---- every member

  /// A kImage record is applied.
  void on_record(CommitTime time, CommitTime since, NodeId writer) noexcept;

  /// A commit of this node is about to replace the contents of `page`, or to claim them for a later
  /// time.
  void before_commit(PageIndex page) noexcept;

  /// The frame of an absent page is about to be filled anew.
  void before_fetch(PageIndex page) noexcept;

  /// Of the PageServer: what stands in the frame of an absent page is still to be stored.
  bool needs_frame(PageIndex page) const noexcept {
    return phase_ == Phase::kCollecting && task_[page] == Task::kHere;
  }

  /// On the PageServer: the page has come without having been asked for, and is here now.
  void on_overheard(PageIndex page) noexcept;

  /// Another node's commit named the page.
  void on_written(PageIndex page, NodeId writer) noexcept;

  void on_request(NodeId from, const wire::ImageRequest& request, Bytes page_list) noexcept;
  void on_notice(CommitTime durable) noexcept;

  /// A new epoch, or a new life: no image is being taken any more.
  void give_up() noexcept;

  // ---- the PageServer

  /// What the next image is taken on top of: the store's newest one.
  void set_base(CommitTime time, PageIndex high_water) noexcept;

  void want(bool stop_cluster) noexcept;
  bool wants_token() const noexcept { return wanted_ && phase_ == Phase::kNone; }
  bool stops_cluster() const noexcept { return stop_ && (wanted_ || phase_ != Phase::kNone); }
  bool busy() const noexcept { return phase_ != Phase::kNone; }
  CommitTime since() const noexcept { return base_; }
  /// Pages of the image being taken that the store has not got, and of these those that other nodes
  /// were asked for.
  std::uint32_t missing() const noexcept { return missing_; }
  std::size_t asked_for() const noexcept { return asks_.size(); }

  /// What was wanted begins: its record, at the time that was just committed, is applied.
  void begin() noexcept;

  /// While others work on: collects no more until the store has room again. Who waits for a disk
  /// hears nobody, and a cluster that works on waits for him soon.
  void hold(bool held) noexcept { held_ = held; }
  bool held() const noexcept { return held_; }

  /// Returns true if these contents, of the image's time, are the newest ones and nobody waits for
  /// the image: then there is time to keep them here as well, for when their owner dies.
  bool on_page(const wire::ImagePage& answer, Bytes contents) noexcept;
  void on_stored(bool durable) noexcept;

  void on_timer() noexcept;
  Instant deadline() const noexcept;

 private:
  enum class Phase : std::uint8_t { kNone, kCollecting, kStoring };
  enum class Task : std::uint8_t {
    kNone,
    kHere,    ///< the contents at the image's time are in the frame
    kAbsent,  ///< the page's owner at that time has them
    kKept,    ///< it was written since, by a node that has kept them
  };
  static std::size_t tasks(const CoreConfig& config) noexcept {
    return config.page_server ? config.geometry.pages : 0;
  }
  struct Ask {
    PageIndex page = kNoPage;
    NodeId queue = 0;
    std::uint16_t tries = 0;
    Instant next_try;
  };
  /// Absent pages stand in a queue for each node that was presumed to own them, so that all of
  /// these have something to send; in the last one those of nobody known.
  static constexpr std::size_t kQueues = kMaxNodes + 1;
  static constexpr std::size_t kPerQueue = 4 * wire::kMaxImagePages;  ///< asked for at once
  static constexpr std::size_t kWindow = 16 * wire::kMaxImagePages;   ///< in all queues together
  static constexpr std::size_t kPerTurn = 2 * wire::kMaxImagePages;
  static constexpr std::size_t kPerStep = 64;  ///< pages of our own in one step

  void collect(PageIndex page) noexcept;
  void collect_own(std::size_t most) noexcept;
  void take_turn() noexcept;
  bool all_asked_for() const noexcept;
  bool waits_for_store() const noexcept { return held_ && !stop_; }
  void enqueue(PageIndex page) noexcept;
  bool ask_for_more() noexcept;
  bool ask_from(NodeId queue) noexcept;
  /// Returns the queue of which it was asked for; kQueues: it was not.
  std::size_t forget_ask(PageIndex page) noexcept;
  bool has_room(std::size_t queue) const noexcept {
    return asked_[queue] + wire::kMaxImagePages <= kPerQueue;
  }
  /// When to ask, or to ask again: not as long as pages come, for an answer may stand behind them.
  Instant due(const Ask& ask) const noexcept;
  void send_requests() noexcept;
  NodeId target(const Ask& ask) const noexcept;
  void send_page(NodeId to, CommitTime time, PageIndex page, Bytes contents) noexcept;
  void check_complete() noexcept;
  void fail(ImageFailure why) noexcept;

  CoreContext& core_;
  PageDirectory& directory_;
  Attempt& attempt_;
  PreImages pre_images_;
  std::span<Task> task_;
  std::span<NodeId> keeper_;         ///< who has the contents at the image's time
  std::span<PageIndex> next_;        ///< in its queue
  std::span<CommitTime> overheard_;  ///< of each page: of which commit; compared with `written`

  bool wanted_ = false;
  bool stop_ = false;
  bool held_ = false;
  Phase phase_ = Phase::kNone;
  CommitTime base_;  ///< of the newest image
  CommitTime time_;  ///< of the image being taken
  PageIndex high_water_ = 0;
  PageIndex own_cursor_ = 0;               ///< our own pages before it are collected
  PageIndex first_[kQueues] = {};          ///< in each queue, not asked for yet; kNoPage: none
  std::uint16_t asked_[kQueues] = {};      ///< of each queue, and not here yet
  BoundedVector<NodeId, kQueues> queues_;  ///< those that had pages when the image began
  std::size_t turn_ = 0;                   ///< the one of these to be looked at next
  std::size_t window_ = 0;                 ///< how many may be asked for at once, of all queues
  std::uint32_t missing_ = 0;
  std::uint32_t known_ = 0;    ///< were here at the image's time, or were overheard since
  std::uint32_t snooped_ = 0;  ///< of these, were overheard
  BoundedVector<Ask, kWindow> asks_;
  Instant next_ask_;  ///< before it none of them is due; pages that come only put that off
  Instant newest_page_at_;
  Instant next_turn_;  ///< when more may be collected, if the cluster works on
};

}  // namespace plurix

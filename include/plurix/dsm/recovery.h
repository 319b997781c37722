// The PageServer's side of recovery (paper section 5.2, DESIGN P7): it watches the members, and
// when one has fallen silent it opens a new epoch with those that answer.
//
//   silence → EpochOpen to all → EpochReport from those alive → EpochBegin with them as members,
//   from the newest commit time any of them has applied, and with a new token here → OrphanCall
//   for the pages whose owner is gone → their copies become the pages (RecordKind::kAssign); a page
//   of which there is no copy is lost, and a further epoch takes the cluster back to the image.
//
// Invariants
// - An epoch has exactly the members that reported in it, and starts from the largest time among
//   their reports; none of them applies anything in between.
// - A page is assigned to a copy only while every record up to the assignment is applied here and
//   none of them gave the page a living owner.
#pragma once

#include <plurix/dsm/epoch.h>

#include <utility>

namespace plurix {

/// Finds new owners for the pages of dead ones, a batch at a time. Those that are not here come
/// first: if nobody has one of them, all the others would have been given away for nothing.
class Orphans {
 public:
  Orphans(CoreContext& core, PageDirectory& directory, Commits& commits) noexcept
      : core_(core), directory_(directory), commits_(commits) {}

  /// Members were given up: looks through all pages.
  void restart() noexcept;

  void on_claim(NodeId from, const wire::OrphanClaim& claim) noexcept;

  /// Every member has answered and nobody has this page.
  bool lost() const noexcept { return lost_; }

  /// Commits what is settled. The caller has made sure that the token may be used.
  void commit_pending() noexcept;
  bool wants_token() const noexcept { return settled_; }

  bool busy() const noexcept { return cursor_ != kNoPage; }

  void on_timer() noexcept;
  Instant deadline() const noexcept {
    return cursor_ == kNoPage || lost_ || settled_ ? kNever : next_call_;
  }

 private:
  static constexpr std::size_t kBatch = wire::kMaxWords - 1;  ///< an assignment names its node too

  bool is_orphan(PageIndex page) const noexcept;
  bool is_here(PageIndex page) const noexcept;
  void fill() noexcept;
  void collect() noexcept;
  void call() noexcept;
  void settle() noexcept;

  CoreContext& core_;
  PageDirectory& directory_;
  Commits& commits_;
  PageIndex cursor_ = kNoPage;  ///< pages before it are looked through
  bool also_here_ = false;      ///< the second time: those that are here
  BoundedVector<PageIndex, kBatch> batch_;
  NodeId claimant_[kBatch] = {};
  bool answered_[kMaxNodes] = {};
  bool settled_ = false;  ///< every page of the batch has a claimant
  bool lost_ = false;
  std::uint32_t number_ = 0;
  Instant next_call_ = kNever;
};

class Recovery {
 public:
  Recovery(CoreContext& core, EpochSwitch& epochs, Membership& membership, Token& token,
           Orphans& orphans) noexcept
      : core_(core), epochs_(epochs), membership_(membership), token_(token), orphans_(orphans) {}

  /// This PageServer is back in the epoch it died in. When nobody works under a lease of its former
  /// life any more, the next epoch begins with whoever has asked for one until then; the image is
  /// gone back to if none of them has what came after it.
  void resume(Instant silent_since) noexcept;

  /// The epoch has begun in which a resumed PageServer has its image and `source` what followed.
  /// The question empties it.
  bool take_resumed() noexcept { return std::exchange(resumed_, false); }
  NodeId source() const noexcept { return source_; }

  /// A member's frame of this epoch has come.
  void heard(NodeId from) noexcept;

  /// The member is known to be dead.
  void on_death(NodeId node) noexcept;
  void on_death_notice(const wire::DeathNotice& notice) noexcept;
  /// Behind `asked_at` there was no process where the silent one was looked for (kPeerSilent). It
  /// serves nobody and commits nothing, so nobody waits for its lease to run out.
  void on_absence(Instant asked_at) noexcept;
  void on_report(const Endpoint& from, std::uint32_t incarnation, const wire::EpochReport& report,
                 Bytes members) noexcept;
  void on_query(const Endpoint& from, const wire::FrameHeader& header,
                const wire::EpochQuery& query) noexcept;

  void on_timer() noexcept;
  Instant deadline() const noexcept;

  /// Somebody may not be in the newest epoch yet.
  bool settling() const noexcept;

  /// An epoch is being opened, or pages of dead owners wait for new ones.
  bool busy() const noexcept { return opening_ != 0 || orphans_.busy(); }

 private:
  struct Candidate {
    wire::MemberEntry entry;
    bool reported = false;
    bool dead = false;
    CommitTime applied;
  };

  bool on_duty() const noexcept { return core_.member && core_.page_server == core_.self; }
  void watch() noexcept;
  bool may_be_absent(NodeId node) const noexcept;
  void look_for_a_silent_member() noexcept;
  void look_for_a_silent_candidate() noexcept;
  void look_for(const wire::MemberEntry& entry) noexcept;
  bool must_finish_resync() const noexcept;
  /// Those who have let this PageServer go, unheard, are silent, and do not follow it any more.
  bool leaves() const noexcept;
  void open() noexcept;
  void add_candidate(const wire::MemberEntry& entry, bool dead) noexcept;
  void welcome(const Endpoint& from, const wire::FrameHeader& header) noexcept;
  void ask_candidates() noexcept;
  bool all_reported() const noexcept;
  Instant patience_end() const noexcept;
  void choose_start(wire::EpochBegin& begin) const noexcept;
  void choose_image(wire::EpochBegin& begin) noexcept;
  void begin() noexcept;
  void send_begin(const Endpoint& to) noexcept;
  void repeat_begin() noexcept;

  CoreContext& core_;
  EpochSwitch& epochs_;
  Membership& membership_;
  Token& token_;
  Orphans& orphans_;

  Instant heard_at_[kMaxNodes];
  bool confirmed_[kMaxNodes] = {};  ///< was heard in this epoch
  bool known_[kMaxNodes] = {};      ///< `heard_at_` is about the member of this number
  std::uint32_t incarnation_[kMaxNodes] = {};
  bool dead_[kMaxNodes] = {};
  wire::MemberEntry looked_for_ = {};  ///< whether it is absent
  std::size_t next_look_ = 0;          ///< from which number or candidate on
  Instant last_watch_;
  Instant in_service_at_;  ///< when this node was last
  Instant next_watch_ = kNever;

  Epoch opening_ = 0;      ///< being prepared; 0: none
  bool resuming_ = false;  ///< by a PageServer that is back
  bool resumed_ = false;
  Instant silent_since_;
  bool rollback_ = false;
  Epoch rolled_back_in_ = 0;  ///< the newest epoch that began with a rollback
  PageIndex rollback_high_water_ = 0;
  NodeId source_ = kNoNode;
  BoundedVector<Candidate, 2 * kMaxNodes> candidates_;
  Instant opened_at_;
  Instant next_ask_ = kNever;
};

}  // namespace plurix

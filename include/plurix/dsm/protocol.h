// The protocol of one node, sans I/O: `step(event, now)` in, an ordered action list out. It
// composes the message families (paging, commits, token, catch-up, membership, resynchronization,
// epochs, recovery), routes each checked message to its family, and after every event lets what has
// become possible happen, in a fixed order: apply, admit, commit, pass the token on.
//
// Deterministic (DESIGN E1): no clock but `now`, no randomness, no iteration order but index order.
// Freestanding (E2). Not reentrant: the node masks its interrupts around a step.
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/dsm/event.h>
#include <plurix/dsm/lookout.h>
#include <plurix/dsm/recovery.h>

namespace plurix {

/// Everything of the protocol that does not depend on the commit strategy.
class ProtocolCore {
 public:
  ProtocolCore(const CoreConfig& config, std::byte* frames, std::span<std::byte> storage,
               bool yields_to_late) noexcept;
  ProtocolCore(const ProtocolCore&) = delete;
  ProtocolCore& operator=(const ProtocolCore&) = delete;

  /// Bytes of storage a node of this configuration needs. The constructor asserts that it was
  /// enough.
  static std::size_t storage_needed(const CoreConfig& config) noexcept;

  const ActionList& actions() const noexcept { return actions_; }
  const CoreContext& core() const noexcept { return core_; }
  const PageDirectory& directory() const noexcept { return directory_; }
  const Attempt& attempt() const noexcept { return attempt_; }
  Attempt& attempt() noexcept { return attempt_; }
  const CatchUp& catch_up() const noexcept { return catch_up_; }
  const Token& token() const noexcept { return token_; }
  const Recovery& recovery() const noexcept { return recovery_; }
  const Membership& membership() const noexcept { return membership_; }

  const Imaging& imaging() const noexcept { return imaging_; }

  /// On the PageServer: what the next image is taken on top of.
  void set_image_base(CommitTime time, PageIndex high_water) noexcept {
    imaging_.set_base(time, high_water);
  }

  /// Commit time of the last attempt committed here, and its epoch.
  CommitTime last_commit() const noexcept { return last_commit_; }
  Epoch last_commit_epoch() const noexcept { return last_commit_epoch_; }

  /// The wish of the last LatestWanted is fulfilled.
  bool is_latest() const noexcept {
    const bool applied = core_.applied >= latest_ || mutated("latest_not_awaited");
    return latest_known_ && applied && core_.in_service();
  }

  /// The last LocalFault found no shadow page: the write set is full.
  bool out_of_shadows() const noexcept { return out_of_shadows_; }

  /// What the attempt may do with `page` without a fault.
  bool is_present(PageIndex page) const noexcept {
    return directory_.state(page) != PageState::kAbsent;
  }

  /// Records an access of the attempt as LocalFault does, if nothing else has to be done for it:
  /// the page is here, with these rights at least. False if that takes an event. No time passes:
  /// most first accesses end here, without a look at the clock or the timers.
  [[nodiscard]] bool record(PageIndex page, Access access, Rights least) noexcept {
    if (!is_present(page) || directory_.rights(page) < least || attempt_.doomed()) return false;
    if (access == Access::kWrite) return attempt_.add_write(page);
    attempt_.add_read(page);
    return true;
  }

  /// When TimerExpired is due at the latest.
  Instant deadline() const noexcept;

 protected:
  void take(const Event& event, Instant now) noexcept;

  /// Applies and commits what has become possible, up to the choice of the next token holder.
  void progress() noexcept;

  CoreContext& context() noexcept { return core_; }
  Token& mutable_token() noexcept { return token_; }

 private:
  void on(const event::FrameArrived& e) noexcept;
  void on(const event::FrameOverheard& e) noexcept;
  void on(const event::TimerExpired&) noexcept {}
  void on(const event::AttemptBegun&) noexcept;
  void on(const event::LocalFault& e) noexcept;
  void on(const event::PageWanted& e) noexcept;
  void on(const event::CommitWanted& e) noexcept;
  void on(const event::AttemptEnded&) noexcept;
  void on(const event::TokenWanted& e) noexcept;
  void on(const event::TokenReleased&) noexcept;
  void on(const event::LatestWanted&) noexcept;
  void on(const event::FoundWanted& e) noexcept;
  void on(const event::ResumeWanted& e) noexcept;
  void on(const event::JoinWanted& e) noexcept;
  void on(const event::PeerAbsent& e) noexcept;
  void on(const event::LeaveWanted&) noexcept;
  void on(const event::ImageWanted& e) noexcept;
  void on(const event::ImageHeld& e) noexcept;
  void on(const event::ImageStored& e) noexcept;
  void on(const event::DurableWanted& e) noexcept;

  wire::DropReason admit(const wire::FrameView& frame, const Endpoint& from) noexcept;
  /// Whether the sender is a member of our epoch, and says so from its own address.
  bool admits_overheard(const wire::FrameHeader& header, const Endpoint& from) const noexcept;
  bool dispatch(const wire::FrameView& frame, const Endpoint& from) noexcept;
  bool dispatch_join(const wire::FrameView& frame, const Endpoint& from) noexcept;
  /// Somebody of a newer epoch does not know this node: its life is over.
  void leave_old_epoch() noexcept;
  bool dispatch_epoch(const wire::FrameView& frame, const Endpoint& from) noexcept;
  bool dispatch_image(const wire::FrameView& frame) noexcept;
  bool on_orphan_call(const wire::FrameHeader& from, Bytes body) noexcept;
  bool dispatch_records(const wire::FrameView& frame) noexcept;
  void on_page_request(const wire::FrameHeader& from, const wire::PageRequest& request) noexcept;
  /// Whether a node whose next commit is `from` may lose the race against our commits.
  bool lags_far(CommitTime from) const noexcept;
  bool on_time_query(NodeId from, Bytes body) noexcept;
  bool on_time_reply(const wire::FrameHeader& from, Bytes body) noexcept;
  void run_timers() noexcept;
  /// For something that others have to give.
  bool waits() const noexcept;
  void send_beacon_if_due() noexcept;
  void ask_latest() noexcept;
  void apply_commits() noexcept;
  void use_token() noexcept;
  bool may_begin_image() const noexcept;
  void begin_image() noexcept;

  ActionList actions_;
  CoreContext core_;
  Arena arena_;
  PageDirectory directory_;
  Attempt attempt_;
  CatchUp catch_up_;
  Imaging imaging_;
  Paging paging_;
  Commits commits_;
  Token token_;
  Membership membership_;
  Resync resync_;
  EpochSwitch epochs_;
  EpochMember epoch_member_;
  Orphans orphans_;
  Recovery recovery_;
  Lookout lookout_;

  bool commit_wanted_ = false;
  bool hold_wanted_ = false;
  bool out_of_shadows_ = false;
  std::uint32_t collisions_ = 0;
  CommitTime last_commit_;
  Epoch last_commit_epoch_ = 0;

  bool latest_wanted_ = false;
  bool latest_known_ = false;
  CommitTime latest_;
  std::uint32_t latest_number_ = 0;
  unsigned latest_tries_ = 0;
  Instant next_latest_ = kNever;
  Instant next_beacon_ = kNever;
};

template <CommitStrategy Strategy>
class Protocol : public ProtocolCore {
 public:
  Protocol(const CoreConfig& config, std::byte* frames, std::span<std::byte> storage,
           Strategy strategy = {}) noexcept
      : ProtocolCore(config, frames, storage, hold_after<Strategy>() != kNeverHold),
        strategy_(strategy) {}

  /// Takes one event and returns what is to be done, in this order. The list, and the frames in it,
  /// are valid until the next step. Interrupt context is fine; never reentrant.
  const ActionList& step(const Event& event, Instant now) noexcept {
    take(event, now);
    mutable_token().consider(strategy_);
    return actions();
  }

 private:
  [[no_unique_address]] Strategy strategy_;
};

}  // namespace plurix

// Resynchronization: how a node that missed commits whose records are gone comes back without
// losing what it owns (DESIGN P4). Any member that has been present since our time knows, for each
// page, whether it was written since then and by whom; it tells us, chunk by chunk.
//
// Every chunk is valid at the commit time of its answer, and these only grow. The node continues
// from the time of the *first* answer: pages written later are named again by records that are
// still in the log, and being told twice that a copy is void does no harm.
#pragma once

#include <plurix/dsm/membership.h>

namespace plurix {

class Resync {
 public:
  Resync(CoreContext& core, PageDirectory& directory, Attempt& attempt, Commits& commits,
         CatchUp& catch_up, Paging& paging, Token& token, Membership& membership) noexcept
      : core_(core),
        directory_(directory),
        attempt_(attempt),
        commits_(commits),
        catch_up_(catch_up),
        paging_(paging),
        token_(token),
        membership_(membership) {}

  /// Takes the node out of service and asks `helper` (or anybody) for what was written since.
  void start(NodeId helper) noexcept;

  /// A newcomer's start: the same from time 0.
  void import(NodeId helper) noexcept;

  /// The PageServer is back, and its frames hold its newest image: what was written since is void,
  /// of the rest it asks who owns it.
  void resume(NodeId helper) noexcept;

  /// The last question came from the same node and was no earlier one: either it has not heard our
  /// answer, or it has, and lags far again.
  bool asks_again(NodeId from, const wire::SyncRequest& request) noexcept;

  void on_request(NodeId from, const wire::SyncRequest& request) noexcept;
  void on_reply(const wire::FrameHeader& from, const wire::SyncReply& reply,
                Bytes entries) noexcept;

  /// A newcomer whom nobody tells what there is: the grant it believed was forged, or of a cluster
  /// that has ended.
  bool is_stranded() const noexcept {
    return core_.resyncing && newcomer_ && !first_answer_ && tries_ > kStrandedAfter;
  }

  void on_timer() noexcept;
  Instant deadline() const noexcept { return core_.resyncing ? next_ask_ : kNever; }

 private:
  static constexpr unsigned kStrandedAfter = 10;

  void begin(NodeId helper, CommitTime since) noexcept;
  void ask() noexcept;
  void send_pages(NodeId to, const wire::SyncRequest& request) noexcept;
  void send_members(NodeId to, const wire::SyncRequest& request) noexcept;
  void take(const wire::SyncEntry& entry, CommitTime time) noexcept;
  void take_owner(const wire::SyncEntry& entry) noexcept;
  void finish(const wire::SyncReply& reply, Bytes members, CommitTime time) noexcept;

  /// What is being asked for.
  enum class Task : std::uint8_t {
    kChanges,
    kChangesSinceImage,  ///< of a PageServer that is back; then kOwners
    kOwners,
  };

  CoreContext& core_;
  PageDirectory& directory_;
  Attempt& attempt_;
  Commits& commits_;
  CatchUp& catch_up_;
  Paging& paging_;
  Token& token_;
  Membership& membership_;
  NodeId last_asker_ = kNoNode;
  PageIndex last_cursor_ = 0;
  NodeId helper_ = kNoNode;
  PageIndex cursor_ = 0;
  CommitTime since_;
  CommitTime as_of_;
  Task task_ = Task::kChanges;
  bool first_answer_ = false;
  bool newcomer_ = false;
  std::uint32_t number_ = 0;
  unsigned tries_ = 0;
  Instant next_ask_ = kNever;
};

}  // namespace plurix

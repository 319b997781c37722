// Who belongs to the cluster. Joining and leaving are commits, so every node sees the same members
// at the same commit time.
//
// Joining: a newcomer asks its seeds; any member takes the token, commits a join record and answers
// with a grant: node number, members, commit time to start from. Newcomers that find only each
// other agree by address: the smallest one founds the cluster. Leaving: the leaver asks a member to
// adopt the pages it owns, list by list, and at last to commit its leave record.
#pragma once

#include <plurix/dsm/commits.h>
#include <plurix/dsm/event.h>
#include <plurix/dsm/paging.h>
#include <plurix/dsm/token.h>

#include <utility>

namespace plurix {

/// Why a cluster did not let us in.
struct Refusal {
  wire::RefusalReason reason = wire::RefusalReason::kGeometry;
  HeapGeometry geometry;  ///< what the cluster has
};

/// How far a newcomer has come.
enum class JoinProgress : std::uint8_t {
  kNobodyAnswers,
  kToldToWait,  ///< by somebody who cannot let anybody in now
  kAnswered,    ///< by somebody who can
  kLetIn,
};

class Membership {
 public:
  static constexpr std::size_t kMaxSeeds = 32;

  Membership(CoreContext& core, PageDirectory& directory, Paging& paging, Commits& commits,
             CatchUp& catch_up, Token& token) noexcept
      : core_(core),
        directory_(directory),
        paging_(paging),
        commits_(commits),
        catch_up_(catch_up),
        token_(token) {}

  /// Founds a cluster of this node alone, whose first `formatted` pages it has filled.
  void found(const Endpoint& own, PageIndex formatted) noexcept;

  /// A member again of the cluster it was the PageServer of, without a token and alone for now. The
  /// pages of the image are copies of which it does not know the owners.
  void resume(const Endpoint& own, PageIndex formatted,
              const event::StoredCluster& cluster) noexcept;

  /// Starts asking. With `may_found` it founds the cluster when nobody answers for join_patience.
  void join(const event::JoinWanted& wanted) noexcept;

  /// Starts leaving; the node is a member until `kLeft`. A newcomer gives up: it is joining until
  /// nobody can let it in any more.
  void leave() noexcept;

  bool joining() const noexcept { return joining_; }
  JoinProgress join_progress() const noexcept { return join_progress_; }
  /// When somebody who could let this node in has spoken last; first, when it began to ask.
  Instant answered_at() const noexcept { return answered_at_; }
  bool leaving() const noexcept { return leaving_; }
  /// A member was asked to let this one go: from then on it may have done so, unheard.
  bool may_be_gone() const noexcept { return leave_requested_; }
  bool refused() const noexcept { return refused_; }
  const Refusal& refusal() const noexcept { return refusal_; }

  void on_join_request(const Endpoint& from, const wire::JoinRequest& request) noexcept;
  void on_join_challenge(const wire::FrameHeader& header, const Endpoint& from,
                         const wire::JoinChallenge& challenge) noexcept;
  void on_join_grant(const wire::FrameHeader& from, const wire::JoinGrant& grant,
                     Bytes members) noexcept;
  void on_join_refused(const wire::FrameHeader& header, const wire::JoinRefused& answer) noexcept;
  void on_join_wait(const Endpoint& from, const wire::JoinWait& wait) noexcept;
  void on_adopt_request(NodeId from, const wire::AdoptRequest& request, Bytes page_list) noexcept;
  void on_leave_request(NodeId from) noexcept;

  /// Applies a join or leave record.
  void apply(const wire::RecordView& record) noexcept;

  /// An adoption was committed: the next list need not wait for the timer.
  void on_adoption() noexcept { next_ask_ = leaving_ ? core_.now : next_ask_; }

  /// Asks seeds and all members we know for the table as it stands now: everybody may have begun a
  /// new life while this node could not hear. Answered with a join grant.
  void ask_for_members() noexcept;

  /// Somebody who was asked that is in a newer epoch of this cluster, of which this node is no
  /// member.
  bool is_left_out() const noexcept { return left_out_; }

  /// Replaces the table by the one as of commit time `time`.
  void replace(Bytes members, std::size_t count, CommitTime time) noexcept;

  /// The member whose life that was, kNoNode if it is none.
  NodeId find(const Endpoint& endpoint, std::uint32_t incarnation) const noexcept;

  const wire::MemberEntry& entry(NodeId node) const noexcept { return members_[node]; }

  /// Newest lives that are over; a node that finds itself among them has to start anew.
  bool has_departed(const Endpoint& endpoint, std::uint32_t incarnation) const noexcept;

  /// A member that asks to join again from its address is dead without having left: kNoNode, or
  /// whom this node has noticed last. The question empties it.
  NodeId take_noticed_death() noexcept { return std::exchange(noticed_death_, kNoNode); }

  /// The cluster went on without this node: it forgets who it was and asks to join again.
  void start_new_life() noexcept;

  /// What it joined is no cluster: it forgets that and asks again as who it is.
  void join_again() noexcept;

  /// An epoch begins. A PageServer that died while it left may be back, as who it was: whoever
  /// wants to leave or to be let in asks again.
  void forget_requests() noexcept;

  /// Commits what is queued here. The caller has made sure that the token may be used.
  void commit_pending() noexcept;
  bool wants_token() const noexcept { return !queue_.empty(); }

  void on_timer() noexcept;
  Instant deadline() const noexcept;

  /// Answers a leaver that did not hear of its own departure.
  void tell_departed(const wire::FrameHeader& header, const Endpoint& from) noexcept;

  /// Whether a frame's sender is the member it says it is.
  bool is_genuine(const wire::FrameHeader& header, const Endpoint& from) const noexcept;

  /// Writes the table into `room`; returns the number of entries.
  std::size_t copy_members(std::span<wire::MemberEntry> room) const noexcept;

 private:
  /// Something this node commits on behalf of another. At the limit a request is dropped; it will
  /// be repeated.
  struct Operation {
    wire::RecordKind kind;
    NodeId node;
    std::uint32_t incarnation;
    Endpoint endpoint;
    std::uint16_t roles = 0;
    Instant asked;  ///< of a newcomer, the last time
  };
  static constexpr std::size_t kMaxOperations = 16;

  void be_alone(const Endpoint& own, PageIndex formatted) noexcept;
  std::uint16_t own_roles() const noexcept;
  void draw_incarnation() noexcept;
  void note_progress(JoinProgress progress) noexcept;
  void note_left_out(const wire::FrameHeader& header) noexcept;
  void know_stored_image() noexcept;
  bool takes_table(const wire::FrameHeader& from, const wire::JoinGrant& grant) const noexcept;
  bool has_asked() const noexcept;
  void ask_seeds() noexcept;
  void ask(const Endpoint& seed, std::uint64_t cookie) noexcept;
  std::uint64_t cookie_for(const Endpoint& endpoint, std::uint32_t incarnation) const noexcept;
  NodeId former_life(const Endpoint& endpoint) const noexcept;
  void refuse(const Endpoint& to, std::uint32_t incarnation, wire::RefusalReason reason) noexcept;
  void add(const wire::MemberEntry& entry) noexcept;
  void remove(NodeId node) noexcept;
  NodeId free_number() const noexcept;
  void send_grant(NodeId node) noexcept;
  void commit_join(const Operation& operation) noexcept;
  void commit_leave(const Operation& operation) noexcept;
  void commit_adoption() noexcept;
  void continue_leaving() noexcept;
  void ask_to_go(NodeId from) noexcept;
  void withdraw() noexcept;
  Duration patience_with_joiners() const noexcept;
  NodeId successor() const noexcept;
  std::size_t list_owned(std::span<PageIndex> room) const noexcept;

  CoreContext& core_;
  PageDirectory& directory_;
  Paging& paging_;
  Commits& commits_;
  CatchUp& catch_up_;
  Token& token_;
  wire::MemberEntry members_[kMaxNodes];
  wire::MemberEntry
      departed_[kMaxNodes];  ///< the newest ones: a replayed request is not a newcomer
  std::size_t departures_ = 0;
  BoundedVector<Operation, kMaxOperations> queue_;
  BoundedVector<PageIndex, wire::kMaxWords> adopting_;
  NodeId adopting_from_ = kNoNode;
  NodeId noticed_death_ = kNoNode;

  bool joining_ = false;
  bool withdrawing_ = false;  ///< as long as it is joining
  bool may_found_ = false;
  event::StoredCluster stored_ = {};  ///< what a PageServer has left and comes back to
  JoinProgress join_progress_ = JoinProgress::kNobodyAnswers;
  Instant answered_at_;
  bool leaving_ = false;
  bool leave_requested_ = false;
  bool left_out_ = false;
  Instant table_wanted_until_;  ///< was asked for, and until then an answer counts
  CommitTime table_time_;       ///< commits up to here are in the table
  bool refused_ = false;
  Refusal refusal_;
  Endpoint own_;
  PageIndex formatted_ = 0;
  BoundedVector<Endpoint, kMaxSeeds> seeds_;
  Instant found_at_ = kNever;
  Instant withdrawn_at_ = kNever;
  Instant next_ask_ = kNever;
  unsigned leave_asks_ = 0;
};

}  // namespace plurix

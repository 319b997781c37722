// The token: the right to commit, held by one node of the cluster or under way to one (paper
// section 2.3, DESIGN P1). It stays with the last committer until somebody asks for it.
//
// Invariants
// - `held_` is true on at most one node of an epoch. The granter gives it up before the grant is
//   sent; a grant is repeated until it is acknowledged; its number grows with every grant, so that
//   a repeated or late one is recognized and only acknowledged again.
// - The token is used only by a node that has applied everything its granter had applied.
// - A request that arrives out of date is not granted: its sender gets the commit records it lacks
//   and asks again when it has applied them.
#pragma once

#include <plurix/base/mutation.h>
#include <plurix/dsm/catch_up.h>

namespace plurix {

class Token {
 public:
  Token(CoreContext& core, CatchUp& catch_up, bool yields_to_late) noexcept
      : core_(core), catch_up_(catch_up), yields_to_late_(yields_to_late) {}

  bool held() const noexcept { return held_; }

  /// The token is here and this node has applied all that its granter had.
  bool usable() const noexcept {
    const bool current = core_.applied >= granted_at_ || mutated("token_used_before_catching_up");
    return held_ && core_.in_service() && current;
  }

  /// A fair holder lets a late requester that it has just brought up to date go first; every holder
  /// pauses for a node that lags so far that it might never catch up with full speed.
  bool must_yield() const noexcept {
    return core_.now < yield_until_ || core_.now < throttled_until_;
  }

  /// Somebody lags far behind: no commits here for a moment. If it has asked `in_vain` before, the
  /// moment was too short, and the next one is twice as long.
  void throttle(bool in_vain) noexcept;

  /// Somebody asked for a page that was written since: a fair holder commits nothing for a moment,
  /// so that the asker can catch up and ask again. Else it would always come too late for a page
  /// that is written in every commit.
  void yield_for_page() noexcept;

  /// The page was sent: no reason to wait any more.
  void end_yield_for_page() noexcept;

  void want(std::uint32_t collisions) noexcept;
  void unwant() noexcept { wanted_ = false; }
  bool wanted() const noexcept { return wanted_; }
  bool waits() const noexcept { return wanted_ && !held_; }

  /// While held back the token is not passed on: a transaction runs under it.
  void hold_back(bool on) noexcept { held_back_ = on; }
  bool held_back() const noexcept { return held_back_ && !mutated("token_passed_on_while_needed"); }

  /// While kept, the token is not passed on either: pages of dead owners are given new ones, for
  /// which a transaction that runs under the token elsewhere might wait.
  void keep(bool on) noexcept { kept_ = on; }
  bool kept() const noexcept { return kept_; }

  NodeId holder_hint() const noexcept { return held_ ? core_.self : hint_; }
  void set_holder_hint(NodeId node) noexcept { hint_ = node; }

  void on_request(const wire::FrameHeader& from, TokenRequest request) noexcept;
  void on_grant(const wire::FrameHeader& from, const wire::TokenGrant& grant,
                Bytes waiting) noexcept;
  void on_ack(const wire::TokenAck& ack) noexcept;

  /// Commit records have come: what a holder sends instead of a grant to a late requester. Asks
  /// again at once if that was it.
  void on_refusal() noexcept;

  void on_member_left(NodeId node) noexcept;

  /// Passes the token on if somebody waits for it and nothing here needs it now. If the choice
  /// falls on one who is late, the token waits here for him, as long as a yield lasts: two nodes
  /// that are always in time could else pass it to and fro for ever.
  template <CommitStrategy S>
  void consider(const S& strategy) noexcept {
    if (waiting_.empty() || !usable() || held_back() || kept_) return;
    const auto chosen = strategy.grant(waiting_.view(), core_.applied);
    for (const auto& request : waiting_) {
      if (request.node != chosen) continue;
      if (!is_late(request)) grant_to(chosen);
      return;
    }
  }

  void on_timer() noexcept;
  Instant deadline() const noexcept;

  /// The founder of a cluster makes its token, and so does who opens an epoch.
  void make() noexcept { make_at(core_.applied); }

  /// It may be used when everything up to `time` is applied here.
  void make_at(CommitTime time) noexcept;

  /// A new epoch begins, whose first holder is `holder`: every older token is void.
  void enter_epoch(NodeId holder) noexcept;

  std::uint32_t number() const noexcept { return number_; }
  bool grant_unacknowledged() const noexcept { return unacknowledged_ != kNoNode; }
  std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  static constexpr std::uint16_t kMaxHops = 4;

  static bool is_late(const TokenRequest& request) noexcept { return request.reserved != 0; }
  void ask() noexcept;
  void forward(const wire::FrameHeader& from, TokenRequest request) noexcept;
  void enqueue(const TokenRequest& request) noexcept;
  void remove(NodeId node) noexcept;
  void grant_to(NodeId node) noexcept;
  void send_grant() noexcept;
  void forget_late() noexcept;
  void yield_to_late() noexcept;
  void end_yield() noexcept;
  void end_throttle_on_grant() noexcept;

  CoreContext& core_;
  CatchUp& catch_up_;
  const bool yields_to_late_;
  bool held_ = false;
  bool held_back_ = false;
  bool kept_ = false;
  bool wanted_ = false;
  std::uint32_t number_ = 0;  ///< of the newest grant seen
  CommitTime granted_at_;     ///< what the granter had applied
  NodeId hint_ = kNoNode;
  BoundedVector<TokenRequest, kMaxNodes> waiting_;
  std::uint32_t granted_request_[kMaxNodes] = {};  ///< newest request we have fulfilled, by node

  TokenRequest mine_;                ///< the own request, while wanted_
  std::uint32_t times_refused_ = 0;  ///< it was late so often; ages it as collisions do
  Instant next_ask_ = kNever;
  unsigned asks_ = 0;

  NodeId unacknowledged_ = kNoNode;  ///< whom we have passed it to, until it says so
  BoundedVector<TokenRequest, kMaxNodes> passed_waiting_;
  Instant next_grant_ = kNever;
  unsigned grants_ = 0;
  Instant yield_until_{0};
  unsigned yields_ = 0;                     ///< in a row, none of which was long enough
  Instant throttled_until_{INT64_MIN / 2};  ///< long ago
  unsigned throttles_ = 0;                  ///< in vain, in a row
};

}  // namespace plurix

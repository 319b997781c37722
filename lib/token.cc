#include <plurix/base/mutation.h>
#include <plurix/dsm/token.h>

namespace plurix {

using wire::MessageType;

void Token::make_at(CommitTime time) noexcept {
  held_ = true;
  number_ = 1;
  granted_at_ = time;
}

void Token::enter_epoch(NodeId holder) noexcept {
  held_ = mutated("token_survives_its_epoch") && held_;
  held_back_ = false;
  kept_ = false;
  number_ = 0;
  waiting_.clear();
  for (auto& request : granted_request_) request = 0;
  unacknowledged_ = kNoNode;
  end_yield();
  hint_ = holder;
  asks_ = 0;
  next_ask_ = core_.now;
}

void Token::want(std::uint32_t collisions) noexcept {
  if (held_) return;
  if (wanted_) {
    mine_.collisions = collisions + times_refused_;
    return;
  }
  wanted_ = true;
  times_refused_ = 0;
  asks_ = 0;
  mine_.node = core_.self;
  mine_.collisions = collisions;
  ++mine_.number;
  ask();
}

void Token::ask() noexcept {
  // Where commits are made, the token goes round and has passed the request by: that is no reason
  // to ask seldom.
  if (core_.applied > mine_.time && asks_ > 1) asks_ = 1;
  mine_.time = core_.applied;
  const bool unicast = asks_ == 0 && hint_ != kNoNode && hint_ != core_.self;
  next_ask_ = core_.now + backoff(core_.config.token_retry, asks_, core_.config.longest_retry);
  ++asks_;
  ++core_.counters.token_requests;
  core_.send_body(unicast ? hint_ : kEveryone, MessageType::kTokenRequest, mine_);
}

void Token::on_request(const wire::FrameHeader& from, TokenRequest request) noexcept {
  if (request.node >= kMaxNodes || request.node == core_.self || request.hops > kMaxHops) {
    return core_.drop(wire::DropReason::kMalformedBody);
  }
  if (!core_.is_member[request.node]) return core_.drop(wire::DropReason::kUnknownSender);
  if (!held_) return forward(from, request);
  if (request.number <= granted_request_[request.node]) return;  // fulfilled; a late duplicate
  request.hops = 0;
  request.reserved = 0;
  if (request.time < core_.applied && !mutated("token_granted_to_late_requester")) {
    ++core_.counters.token_refused_late;
    catch_up_.help(request.node, request.time + 1, core_.applied);
    if (!yields_to_late_) return;
    request.reserved = 1;
    yield_to_late();
  }
  enqueue(request);
}

// Whoever was late again although we waited has more to catch up with than the window allows for:
// what we sent before stands in its queue.
void Token::yield_to_late() noexcept {
  if (core_.now >= yield_until_) ++core_.counters.token_yields;
  if (core_.now - yield_until_ > core_.config.longest_retry) yields_ = 0;
  yield_until_ =
      core_.now + backoff(core_.config.yield_window, yields_, core_.config.longest_retry);
  ++yields_;
}

void Token::end_yield() noexcept {
  yield_until_ = Instant{core_.now.ns - 1};
  yields_ = 0;
}

// Who lags far has the notices of a whole log in its queue, and loses what no longer fits into it,
// our answers too. A pause too short to empty the queue is none.
void Token::throttle(bool in_vain) noexcept {
  if (!held_) return;
  if (core_.now - throttled_until_ > core_.config.longest_retry * 2) throttles_ = 0;
  if (in_vain && !mutated("pause_never_grows")) ++throttles_;
  throttled_until_ =
      core_.now + backoff(core_.config.throttle_window, throttles_, core_.config.longest_retry);
  ++core_.counters.throttles;
}

// Two that pass the token to and fro would never pause.
void Token::end_throttle_on_grant() noexcept {
  if (throttles_ == 0) throttled_until_ = earlier(throttled_until_, core_.now);
}

void Token::yield_for_page() noexcept {
  if (held_ && yields_to_late_) yield_to_late();
}

void Token::end_yield_for_page() noexcept {
  for (const auto& request : waiting_) {
    if (is_late(request)) return;
  }
  end_yield();
}

void Token::forward(const wire::FrameHeader& from, TokenRequest request) noexcept {
  if (from.receiver == kEveryone) return;  // the holder has heard it too
  const auto to = unacknowledged_ != kNoNode ? unacknowledged_ : hint_;
  if (to == kNoNode || to == core_.self || to == request.node || to == from.sender) return;
  if (++request.hops > kMaxHops) return;
  ++core_.counters.token_forwards;
  core_.send_body(to, MessageType::kTokenRequest, request);
}

void Token::enqueue(const TokenRequest& request) noexcept {
  for (auto& waiting : waiting_) {
    if (waiting.node != request.node) continue;
    if (request.number < waiting.number) return;
    // A request that was in time once stays so: what it lacks since then was sent to its node.
    const bool late = is_late(waiting) && is_late(request);
    waiting = request;
    waiting.reserved = late ? 1 : 0;
    return;
  }
  const bool room = waiting_.push(request);  // one place a node: there is always room
  PLURIX_ASSERT(room);
}

void Token::remove(NodeId node) noexcept {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i].node == node) return waiting_.erase(i);
  }
}

void Token::grant_to(NodeId node) noexcept {
  PLURIX_ASSERT(held_ && !held_back_ && core_.is_member[node]);
  for (const auto& request : waiting_) {
    if (request.node == node) granted_request_[node] = request.number;
  }
  remove(node);
  held_ = mutated("token_granted_twice");
  ++number_;
  ++core_.counters.token_grants;
  hint_ = node;
  unacknowledged_ = node;
  passed_waiting_ = waiting_;
  waiting_.clear();
  end_yield();
  end_throttle_on_grant();
  grants_ = 0;
  send_grant();
}

void Token::send_grant() noexcept {
  std::byte body[wire::kSmallBody];
  std::size_t used = sizeof(wire::TokenGrant);
  wire::TokenGrant grant{number_, 0};
  for (const auto& request : passed_waiting_) {
    if (grant.waiting == wire::kMaxWaitingInGrant) break;  // the others will ask again
    std::memcpy(body + used, &request, sizeof request);
    used += sizeof request;
    ++grant.waiting;
  }
  std::memcpy(body, &grant, sizeof grant);
  next_grant_ = core_.now + backoff(core_.config.grant_retry, grants_, core_.config.longest_retry);
  ++grants_;
  core_.send(unacknowledged_, MessageType::kTokenGrant, {body, used});
}

void Token::on_grant(const wire::FrameHeader& from, const wire::TokenGrant& grant,
                     Bytes waiting) noexcept {
  core_.send_body(from.sender, MessageType::kTokenAck, wire::TokenAck{grant.number, 0});
  if (grant.number <= number_ && !mutated("duplicate_grant_accepted")) {
    ++core_.counters.token_duplicates;
    return;
  }
  held_ = true;
  number_ = grant.number;
  granted_at_ = from.commit_time;
  unacknowledged_ = kNoNode;  // what we passed on earlier has arrived, or this could not be here
  next_ask_ = kNever;
  waiting_.clear();
  for (std::size_t i = 0; i < grant.waiting; ++i) {
    const auto request = wire::element<TokenRequest>(waiting, i);
    if (request.node != core_.self && core_.is_member[request.node]) enqueue(request);
  }
}

void Token::on_ack(const wire::TokenAck& ack) noexcept {
  if (ack.number == number_ || mutated("foreign_ack_accepted")) unacknowledged_ = kNoNode;
}

void Token::on_refusal() noexcept {
  if (!wanted_ || held_ || mine_.time >= core_.applied || catch_up_.behind()) return;
  ++times_refused_;
  ++mine_.collisions;
  asks_ = 0;
  ask();
}

void Token::on_member_left(NodeId node) noexcept {
  remove(node);
  granted_request_[node] = 0;
  if (hint_ == node) hint_ = kNoNode;
  // It cannot have left without passing on what it was granted, so the grant has arrived.
  if (unacknowledged_ == node) unacknowledged_ = kNoNode;
}

void Token::forget_late() noexcept {
  for (std::size_t i = 0; i < waiting_.size();) {
    if (is_late(waiting_[i])) {
      waiting_.erase(i);
    } else {
      ++i;
    }
  }
}

void Token::on_timer() noexcept {
  if (wanted_ && !held_ && core_.now >= next_ask_) ask();
  const bool due = unacknowledged_ != kNoNode && core_.now >= next_grant_;
  if (due && !mutated("grant_not_repeated")) send_grant();
  if (core_.now >= yield_until_) forget_late();
}

Instant Token::deadline() const noexcept {
  auto soonest = wanted_ && !held_ ? next_ask_ : kNever;
  if (unacknowledged_ != kNoNode) soonest = earlier(soonest, next_grant_);
  if (core_.now < yield_until_) soonest = earlier(soonest, yield_until_);
  if (core_.now < throttled_until_) soonest = earlier(soonest, throttled_until_);
  return soonest;
}

}  // namespace plurix

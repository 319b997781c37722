#include <plurix/dsm/membership.h>

#include <plurix/base/mutation.h>
#include <plurix/base/prng.h>

#include <algorithm>

namespace plurix {

using wire::MessageType;
using wire::RecordKind;

namespace {

std::span<const std::uint32_t> as_words(const wire::MemberEntry& entry,
                                        std::uint32_t (&room)[wire::kMemberWords]) noexcept {
  std::memcpy(room, &entry, sizeof entry);
  return room;
}

bool comes_before(const Endpoint& a, const Endpoint& b) noexcept {
  return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) < 0;
}

}  // namespace

void Membership::found(const Endpoint& own, PageIndex formatted) noexcept {
  core_.self = 0;
  core_.epoch = 1;
  // The lower half tells this founding from an earlier one of the same name (DESIGN P6). Never
  // zero, which marks one who is still joining.
  core_.cluster |= (mix(core_.incarnation, 0x666f756e64) & 0xffff'ffff) | 1;
  core_.high_water = formatted;
  be_alone(own, formatted);
  token_.make();
}

void Membership::be_alone(const Endpoint& own, PageIndex formatted) noexcept {
  PLURIX_ASSERT(!core_.member);
  joining_ = false;
  core_.promised = core_.epoch;
  core_.formatted = formatted;
  core_.member = true;
  own_ = own;
  add({.node = core_.self,
       .roles = own_roles(),
       .incarnation = core_.incarnation,
       .endpoint = own});
  core_.act({.kind = ActionKind::kJoined, .node = core_.self});
}

void Membership::resume(const Endpoint& own, PageIndex formatted,
                        const event::StoredCluster& cluster) noexcept {
  core_.self = cluster.self;
  core_.incarnation = cluster.incarnation;
  core_.epoch = cluster.epoch;
  core_.epoch_start = cluster.time;
  core_.cluster = cluster.cluster;
  core_.high_water = std::max(formatted, cluster.high_water);
  core_.applied = cluster.time;
  core_.frames_hold_image = true;
  catch_up_.restart_at(cluster.time);
  for (PageIndex page = 0; page < cluster.high_water; ++page) {
    directory_.set_written(page, cluster.time);
    directory_.set_state(page, PageState::kCopy);
  }
  be_alone(own, formatted);
}

std::uint16_t Membership::own_roles() const noexcept {
  return core_.config.page_server ? wire::kPageServerRole : 0;
}

void Membership::join(const event::JoinWanted& wanted) noexcept {
  PLURIX_ASSERT(!core_.member);
  seeds_.clear();
  for (const auto& seed : wanted.seeds) {
    if (!(seed == wanted.own) && !seeds_.push(seed)) break;
  }
  joining_ = true;
  withdrawing_ = false;
  join_progress_ = JoinProgress::kNobodyAnswers;
  answered_at_ = core_.now;
  may_found_ = wanted.may_found;
  stored_ = wanted.stored;
  if (stored_.incarnation != 0) core_.incarnation = stored_.incarnation;
  own_ = wanted.own;
  formatted_ = wanted.formatted;
  core_.formatted = wanted.formatted;
  found_at_ = core_.now + core_.config.join_patience;
  ask_seeds();
}

void Membership::draw_incarnation() noexcept {
  core_.incarnation = static_cast<std::uint32_t>(mix(core_.incarnation, 0x6c696665)) | 1;
}

void Membership::note_progress(JoinProgress progress) noexcept {
  join_progress_ = std::max(join_progress_, progress);
  if (progress >= JoinProgress::kAnswered) answered_at_ = core_.now;
}

void Membership::ask_seeds() noexcept {
  next_ask_ = core_.now + core_.config.join_retry;
  for (const auto& seed : seeds_) ask(seed, 0);
}

void Membership::ask(const Endpoint& seed, std::uint64_t cookie) noexcept {
  wire::JoinRequest request;
  request.base = core_.config.geometry.base;
  request.pages = core_.config.geometry.pages;
  request.format = core_.config.geometry.format;
  request.page_size = kPageSize;
  request.incarnation = core_.incarnation;
  request.cookie = cookie;
  request.roles = own_roles();
  core_.send_to(seed, MessageType::kJoinRequest, std::as_bytes(std::span{&request, 1}));
}

void Membership::on_join_challenge(const wire::FrameHeader& header, const Endpoint& from,
                                   const wire::JoinChallenge& challenge) noexcept {
  if (challenge.incarnation != core_.incarnation) return;
  note_left_out(header);
  if (!joining_ || withdrawing_) return;
  note_progress(JoinProgress::kAnswered);
  ask(from, challenge.cookie);
}

std::uint64_t Membership::cookie_for(const Endpoint& endpoint,
                                     std::uint32_t incarnation) const noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, endpoint.bytes, sizeof halves);
  // Our own incarnation was drawn at our start and is the secret in it.
  return mix(mix(halves[0], halves[1]), mix(incarnation, core_.incarnation)) | 1;
}

bool Membership::has_departed(const Endpoint& endpoint, std::uint32_t incarnation) const noexcept {
  if (find(endpoint, incarnation) != kNoNode) return false;  // an older table did not have it yet
  for (const auto& entry : departed_) {
    if (entry.node != kNoNode && entry.incarnation == incarnation && entry.endpoint == endpoint) {
      return true;
    }
  }
  return false;
}

NodeId Membership::find(const Endpoint& endpoint, std::uint32_t incarnation) const noexcept {
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (core_.is_member[node] && members_[node].incarnation == incarnation &&
        members_[node].endpoint == endpoint) {
      return node;
    }
  }
  return kNoNode;
}

NodeId Membership::former_life(const Endpoint& endpoint) const noexcept {
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (core_.is_member[node] && members_[node].endpoint == endpoint) return node;
  }
  return kNoNode;
}

NodeId Membership::free_number() const noexcept {
  // A page whose owner died is known by the dead one's number until it has a new owner.
  bool taken[kMaxNodes] = {};
  for (PageIndex page = 0; page < core_.high_water && !mutated("dead_ones_number_reused"); ++page) {
    const auto owner = directory_.owner_hint(page);
    if (owner < kMaxNodes) taken[owner] = true;
  }
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (!core_.is_member[node] && !taken[node]) return node;
  }
  return kNoNode;
}

void Membership::on_join_request(const Endpoint& from, const wire::JoinRequest& request) noexcept {
  // We wait for our PageServer, and it for the grant: nobody else begins epochs, so ours is its.
  const bool ours = core_.cut_off && !core_.frozen() && core_.page_server != kNoNode &&
                    find(from, request.incarnation) == core_.page_server;
  if (core_.member && ours && !mutated("grant_not_repeated_to_page_server")) {
    return send_grant(core_.page_server);
  }
  // A newcomer that neither will found a cluster nor comes back to one is nobody to wait for.
  const bool returns = stored_.cluster != 0;
  const bool may_found = may_found_ || mutated("one_that_may_not_found_awaited");
  const bool asks_too = joining_ && !(from == own_) && (may_found || returns);
  if (core_.member ? !core_.in_service() : asks_too) {
    const wire::JoinWait wait{core_.incarnation, core_.member || returns ? 1U : 0U};
    return core_.send_to(from, MessageType::kJoinWait, std::as_bytes(std::span{&wait, 1}));
  }
  if (!core_.in_service()) return;
  if (has_departed(from, request.incarnation)) {
    // Perhaps given up for dead before it heard that it was let in.
    return refuse(from, request.incarnation, wire::RefusalReason::kDeparted);
  }
  const auto known = find(from, request.incarnation);
  if (known != kNoNode) return send_grant(known);
  if (leaving_) return;  // another member will take the newcomer in
  const auto& own = core_.config.geometry;
  const HeapGeometry asked{request.base, request.pages, request.format};
  if (asked != own || request.page_size != kPageSize) {
    return refuse(from, request.incarnation, wire::RefusalReason::kGeometry);
  }
  if (free_number() == kNoNode) {
    return refuse(from, request.incarnation, wire::RefusalReason::kFull);
  }
  const auto cookie = cookie_for(from, request.incarnation);
  if (request.cookie != cookie && !mutated("cookie_not_checked")) {
    const wire::JoinChallenge challenge{request.incarnation, 0, cookie};
    return core_.send_to(from, MessageType::kJoinChallenge,
                         std::as_bytes(std::span{&challenge, 1}));
  }
  if (core_.page_server != kNoNode && request.roles == wire::kPageServerRole) {
    return refuse(from, request.incarnation, wire::RefusalReason::kPageServer);
  }
  const auto former = former_life(from);
  if (former != kNoNode && core_.page_server != kNoNode) {
    noticed_death_ = former;  // it is let in when an epoch without its former life has begun
    return;
  }
  for (auto& waiting : queue_) {
    if (waiting.endpoint != from || waiting.incarnation != request.incarnation) continue;
    waiting.asked = core_.now;
    return;
  }
  if (!queue_.push(
          {RecordKind::kJoin, kNoNode, request.incarnation, from, request.roles, core_.now})) {
    core_.drop(wire::DropReason::kQueueFull);
  }
}

void Membership::refuse(const Endpoint& to, std::uint32_t incarnation,
                        wire::RefusalReason reason) noexcept {
  const auto& own = core_.config.geometry;
  wire::JoinRefused answer;
  answer.incarnation = incarnation;
  answer.reason = reason;
  answer.base = own.base;
  answer.pages = own.pages;
  answer.format = own.format;
  core_.send_to(to, MessageType::kJoinRefused, std::as_bytes(std::span{&answer, 1}));
}

void Membership::send_grant(NodeId node) noexcept {
  std::byte body[sizeof(wire::JoinGrant) + sizeof members_];
  wire::JoinGrant grant;
  grant.incarnation = members_[node].incarnation;
  grant.node = node;
  grant.holder = token_.holder_hint();
  grant.high_water = core_.high_water;
  wire::MemberEntry entries[kMaxNodes];
  grant.members = static_cast<std::uint32_t>(copy_members(entries));
  std::memcpy(body, &grant, sizeof grant);
  std::memcpy(body + sizeof grant, entries, grant.members * sizeof entries[0]);
  core_.send_to(members_[node].endpoint, MessageType::kJoinGrant,
                {body, sizeof grant + grant.members * sizeof entries[0]});
}

void Membership::on_join_grant(const wire::FrameHeader& from, const wire::JoinGrant& grant,
                               Bytes members) noexcept {
  if (grant.incarnation != core_.incarnation) return;
  if (!joining_) {
    if (!takes_table(from, grant)) return;
    replace(members, grant.members, from.commit_time);
    if (!core_.resyncing) catch_up_.note_time(from.sender, from.commit_time);
    return;
  }
  joining_ = false;
  note_progress(JoinProgress::kLetIn);
  core_.self = grant.node;
  core_.epoch = from.epoch;
  core_.promised = from.epoch;
  core_.epoch_start = from.commit_time;
  core_.cluster = from.cluster;
  core_.applied = from.commit_time;
  core_.high_water = grant.high_water;
  table_time_ = from.commit_time;
  core_.member = true;
  catch_up_.restart_at(core_.applied);
  token_.set_holder_hint(grant.holder);
  know_stored_image();
  for (std::size_t i = 0; i < grant.members; ++i) {
    add(wire::element<wire::MemberEntry>(members, i));
  }
  core_.act({.kind = ActionKind::kJoined, .node = core_.self, .epoch = core_.epoch});
  if (withdrawing_) leave();
}

// Without a PageServer no epoch began, so what follows its image is of the image's line.
void Membership::know_stored_image() noexcept {
  if (stored_.cluster != core_.cluster || stored_.epoch != core_.epoch) return;
  if (mutated("image_known_late")) return;
  core_.durable = stored_.time;
  core_.image_high_water = stored_.high_water;
}

bool Membership::takes_table(const wire::FrameHeader& from,
                             const wire::JoinGrant& grant) const noexcept {
  const bool in_need = core_.resyncing || has_asked();
  // Grants overtake each other: who left or came between two of them is in the newer one.
  const bool newer = from.commit_time >= table_time_ || mutated("older_table_taken");
  return in_need && core_.member && grant.node == core_.self && from.epoch == core_.epoch &&
         from.cluster == core_.cluster && from.commit_time >= core_.applied && newer;
}

bool Membership::has_asked() const noexcept { return core_.now < table_wanted_until_; }

void Membership::note_left_out(const wire::FrameHeader& header) noexcept {
  const bool asked = core_.member && !leaving_ && core_.page_server != core_.self && has_asked();
  const bool newer = header.epoch > core_.epoch && header.epoch >= core_.promised;
  if (mutated("left_out_unnoticed")) return;
  left_out_ = left_out_ || (asked && newer && header.cluster == core_.cluster);
}

void Membership::on_join_refused(const wire::FrameHeader& header,
                                 const wire::JoinRefused& answer) noexcept {
  if (answer.incarnation != core_.incarnation) return;
  if (answer.reason == wire::RefusalReason::kDeparted) {
    note_left_out(header);
    if (leaving_) remove(core_.self);
    if (withdrawing_) joining_ = false;
    if (joining_) {
      draw_incarnation();
      ask_seeds();
    }
    return;
  }
  if (!joining_) return;
  note_progress(JoinProgress::kAnswered);
  refused_ = true;
  refusal_ = {answer.reason, {answer.base, answer.pages, answer.format}};
}

void Membership::tell_departed(const wire::FrameHeader& header, const Endpoint& from) noexcept {
  const bool leaver =
      header.type == MessageType::kLeaveRequest || header.type == MessageType::kAdoptRequest;
  if (leaver && has_departed(from, header.incarnation)) {
    refuse(from, header.incarnation, wire::RefusalReason::kDeparted);
  }
}

void Membership::on_join_wait(const Endpoint& from, const wire::JoinWait& wait) noexcept {
  const bool exists = wait.cluster_exists != 0 && !mutated("cluster_founded_beside_one_that_waits");
  if (wait.cluster_exists != 0) note_progress(JoinProgress::kToldToWait);
  if (joining_ && (exists || comes_before(from, own_))) {
    found_at_ = core_.now + core_.config.join_patience;
  }
}

void Membership::add(const wire::MemberEntry& entry) noexcept {
  // A resynchronization shows a new life without the departure of the old one.
  const bool changed = core_.is_member[entry.node] && entry.node != core_.self &&
                       members_[entry.node].incarnation != entry.incarnation;
  if (changed) remove(entry.node);
  members_[entry.node] = entry;
  core_.incarnation_of[entry.node] = entry.incarnation;
  if (!core_.is_member[entry.node] && entry.node != core_.self) ++core_.peers;
  core_.is_member[entry.node] = true;
  if (entry.roles == wire::kPageServerRole) core_.page_server = entry.node;
  if (entry.node == core_.self) return;
  core_.act({.kind = ActionKind::kPeerAdded, .node = entry.node, .endpoint = entry.endpoint});
}

void Membership::remove(NodeId node) noexcept {
  if (!core_.is_member[node]) return;
  core_.is_member[node] = false;
  departed_[departures_++ % kMaxNodes] = members_[node];
  if (node == core_.page_server) core_.page_server = kNoNode;
  token_.on_member_left(node);
  if (node == core_.self) {
    core_.member = false;
    leaving_ = false;
    leave_requested_ = false;
    core_.act({.kind = ActionKind::kLeft, .node = node});
    return;
  }
  --core_.peers;
  core_.act({.kind = ActionKind::kPeerRemoved, .node = node});
}

void Membership::apply(const wire::RecordView& record) noexcept {
  // The table came with the epoch, or with the grant: it shows what led to them already.
  if (record.header.time <= core_.epoch_start || record.header.time <= table_time_) return;
  if (record.header.kind == RecordKind::kJoin) add(record.member());
  if (record.header.kind == RecordKind::kLeave &&
      members_[record.member().node].incarnation == record.member().incarnation) {
    remove(record.member().node);
  }
}

void Membership::ask_for_members() noexcept {
  table_wanted_until_ = core_.now + patience_with_joiners();
  for (const auto& seed : seeds_) ask(seed, 0);
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (core_.is_member[node] && node != core_.self) ask(members_[node].endpoint, 0);
  }
}

void Membership::replace(Bytes members, std::size_t count, CommitTime time) noexcept {
  table_time_ = time;
  left_out_ = false;
  bool present[kMaxNodes] = {};
  for (std::size_t i = 0; i < count; ++i) {
    present[wire::element<wire::MemberEntry>(members, i).node] = true;
  }
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (core_.is_member[node] && !present[node]) remove(node);
  }
  for (std::size_t i = 0; i < count; ++i) add(wire::element<wire::MemberEntry>(members, i));
}

void Membership::start_new_life() noexcept {
  draw_incarnation();
  join_again();
}

void Membership::join_again() noexcept {
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (!core_.is_member[node]) continue;
    core_.is_member[node] = false;
    if (node == core_.self) continue;
    (void)seeds_.push(members_[node].endpoint);
    core_.act({.kind = ActionKind::kPeerRemoved, .node = node});
  }
  forget_requests();
  table_time_ = CommitTime{};
  left_out_ = false;
  leave_requested_ = false;
  core_.peers = 0;
  core_.member = false;
  core_.page_server = kNoNode;
  if (leaving_) {
    leaving_ = false;
    return core_.act({.kind = ActionKind::kLeft, .node = core_.self});
  }
  joining_ = true;
  withdrawing_ = false;
  may_found_ = false;
  ask_seeds();
}

void Membership::forget_requests() noexcept {
  queue_.clear();
  adopting_.clear();
  adopting_from_ = kNoNode;
}

void Membership::commit_pending() noexcept {
  while (!queue_.empty()) {
    const auto operation = queue_[0];
    queue_.erase(0);
    if (operation.kind == RecordKind::kJoin) commit_join(operation);
    if (operation.kind == RecordKind::kAdopt) commit_adoption();
    if (operation.kind == RecordKind::kLeave) commit_leave(operation);
  }
}

void Membership::commit_join(const Operation& operation) noexcept {
  auto node = find(operation.endpoint, operation.incarnation);
  if (node == kNoNode) {
    // It has given up meanwhile, or it would have asked again.
    if (core_.now - operation.asked > patience_with_joiners()) return;
    const bool second = operation.roles == wire::kPageServerRole && core_.page_server != kNoNode;
    // Another member has let one in since this one asked.
    if (second && !mutated("second_page_server_let_in")) {
      return refuse(operation.endpoint, operation.incarnation, wire::RefusalReason::kPageServer);
    }
    node = free_number();
    if (node == kNoNode) return;  // the newcomer asks again and is refused in words
    const wire::MemberEntry entry{node, operation.roles, operation.incarnation, operation.endpoint};
    std::uint32_t words[wire::kMemberWords];
    commits_.commit_record(RecordKind::kJoin, as_words(entry, words));
    add(entry);
  }
  send_grant(node);
}

void Membership::commit_leave(const Operation& operation) noexcept {
  const auto node = operation.node;
  // While pages of dead owners look for new ones, this node's copies are needed: it asks again.
  if (token_.kept() && !mutated("leaver_takes_last_copy_along")) return;
  // The request may be of a former life; and a page must not go with its owner, whoever asks.
  if (!core_.is_member[node] || members_[node].incarnation != operation.incarnation) return;
  for (PageIndex page = 0; page < core_.high_water; ++page) {
    if (directory_.owner_hint(page) == node) return;
  }
  std::uint32_t words[wire::kMemberWords];
  commits_.commit_record(RecordKind::kLeave, as_words(members_[node], words));
  remove(node);
}

void Membership::on_adopt_request(NodeId from, const wire::AdoptRequest& request,
                                  Bytes page_list) noexcept {
  if (leaving_) return;  // the leaver will ask somebody else
  if (adopting_from_ != kNoNode && adopting_from_ != from && !adopting_.empty()) return;
  adopting_from_ = from;
  adopting_.clear();
  for (std::size_t i = 0; i < request.count; ++i) {
    const auto page = wire::element<PageIndex>(page_list, i);
    if (page >= directory_.pages()) return core_.drop(wire::DropReason::kMalformedBody);
    if (directory_.owner_hint(page) != core_.self) (void)adopting_.push(page);
  }
  on_timer();
}

void Membership::commit_adoption() noexcept {
  // Only what is still the leaver's and is present here at this very commit time.
  BoundedVector<PageIndex, wire::kMaxWords> ready;
  for (const auto page : adopting_) {
    if (directory_.state(page) == PageState::kCopy) (void)ready.push(page);
  }
  adopting_.clear();
  if (!ready.empty()) commits_.commit_record(RecordKind::kAdopt, ready.view());
}

void Membership::on_leave_request(NodeId from) noexcept {
  if (leaving_) return;
  for (const auto& waiting : queue_) {
    if (waiting.kind == RecordKind::kLeave && waiting.node == from) return;
  }
  (void)queue_.push({RecordKind::kLeave, from, members_[from].incarnation, {}});
}

Duration Membership::patience_with_joiners() const noexcept { return core_.config.join_retry * 8; }

/// Nobody takes a newcomer in that does not answer challenges any more, but somebody may have done
/// so already, unheard: it goes on asking for as long as that can happen, and then leaves like any
/// member.
void Membership::withdraw() noexcept {
  if (withdrawing_) return;
  withdrawing_ = true;
  may_found_ = false;
  withdrawn_at_ = refused_ ? core_.now : core_.now + patience_with_joiners() * 2;
}

void Membership::leave() noexcept {
  if (joining_) return withdraw();
  if (leaving_ || !core_.member) return;
  leaving_ = true;
  next_ask_ = core_.now;
}

NodeId Membership::successor() const noexcept {
  // Another one each time: the first may be leaving itself.
  std::size_t skip = core_.peers == 0 ? 0 : (leave_asks_ / 4) % core_.peers;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (core_.is_member[node] && node != core_.self && skip-- == 0) return node;
  }
  return kNoNode;
}

std::size_t Membership::list_owned(std::span<PageIndex> room) const noexcept {
  std::size_t count = 0;
  const auto end = std::min(core_.high_water, directory_.pages());
  for (PageIndex page = 0; page < end && count < room.size(); ++page) {
    if (mutated("leaver_takes_pages_along")) continue;
    if (directory_.state(page) == PageState::kOwned) room[count++] = page;
  }
  return count;
}

void Membership::continue_leaving() noexcept {
  next_ask_ = core_.now + core_.config.join_retry;
  const auto to = successor();
  ++leave_asks_;
  if (to == kNoNode) return remove(core_.self);  // the last one: the cluster ends with it
  std::byte body[wire::kSmallBody];
  PageIndex owned[wire::kMaxWords];
  const auto count = list_owned(owned);
  if (count == 0) return ask_to_go(to);
  const wire::AdoptRequest request{static_cast<std::uint32_t>(count), 0};
  std::memcpy(body, &request, sizeof request);
  std::memcpy(body + sizeof request, owned, count * sizeof owned[0]);
  core_.send(to, MessageType::kAdoptRequest, {body, sizeof request + count * sizeof owned[0]});
}

// Nobody but the PageServer can bring into the epoch who has not entered it yet.
void Membership::ask_to_go(NodeId from) noexcept {
  if (core_.epoch_settling && !mutated("page_server_leaves_before_all_follow")) return;
  leave_requested_ = true;
  core_.send(from, MessageType::kLeaveRequest, {});
}

void Membership::on_timer() noexcept {
  if (joining_) {
    if (withdrawing_ && core_.now >= withdrawn_at_) {
      joining_ = false;
      return;
    }
    if (may_found_ && core_.now >= found_at_) return found(own_, formatted_);
    if (core_.now >= next_ask_) ask_seeds();
    return;
  }
  if (leaving_ && core_.now >= next_ask_) continue_leaving();
  if (adopting_.empty()) return;
  bool complete = true;
  for (const auto page : adopting_) {
    paging_.fetch(page);
    complete = complete && directory_.state(page) != PageState::kAbsent;
  }
  if (!complete) return;
  for (const auto& waiting : queue_) {
    if (waiting.kind == RecordKind::kAdopt) return;
  }
  (void)queue_.push({RecordKind::kAdopt, kNoNode, 0, {}});
}

Instant Membership::deadline() const noexcept {
  if (joining_ && withdrawing_) return earlier(next_ask_, withdrawn_at_);
  if (joining_) return earlier(next_ask_, may_found_ ? found_at_ : kNever);
  if (leaving_) return next_ask_;
  return kNever;
}

bool Membership::is_genuine(const wire::FrameHeader& header, const Endpoint& from) const noexcept {
  if (header.sender >= kMaxNodes || !core_.is_member[header.sender]) return false;
  if (mutated("impostor_accepted")) return true;
  return members_[header.sender].incarnation == header.incarnation &&
         members_[header.sender].endpoint == from;
}

std::size_t Membership::copy_members(std::span<wire::MemberEntry> room) const noexcept {
  std::size_t count = 0;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (core_.is_member[node] && count < room.size()) room[count++] = members_[node];
  }
  return count;
}

}  // namespace plurix

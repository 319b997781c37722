#include <plurix/base/mutation.h>
#include <plurix/dsm/recovery.h>

#include <algorithm>

namespace plurix {

using wire::MessageType;

// ---- orphans

void Orphans::restart() noexcept {
  cursor_ = 0;
  also_here_ = false;
  batch_.clear();
  settled_ = false;
  lost_ = false;
  next_call_ = core_.now;
}

bool Orphans::is_orphan(PageIndex page) const noexcept {
  if (directory_.never_written(page)) return false;
  const auto owner = directory_.owner_hint(page);
  return owner >= kMaxNodes || !core_.is_member[owner];
}

bool Orphans::is_here(PageIndex page) const noexcept {
  return directory_.state(page) != PageState::kAbsent;
}

void Orphans::fill() noexcept {
  for (; cursor_ < core_.high_water && !batch_.full(); ++cursor_) {
    if (is_orphan(cursor_) && (also_here_ || !is_here(cursor_))) (void)batch_.push(cursor_);
  }
}

void Orphans::collect() noexcept {
  batch_.clear();
  settled_ = false;
  for (auto& answered : answered_) answered = false;
  fill();
  if (batch_.empty() && !also_here_) {
    also_here_ = true;
    cursor_ = 0;
    fill();
  }
  if (batch_.empty()) {
    cursor_ = kNoPage;
    return;
  }
  ++number_;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    claimant_[i] = is_here(batch_[i]) ? core_.self : kNoNode;
  }
}

void Orphans::call() noexcept {
  std::byte body[wire::kSmallBody];
  const wire::OrphanCall call{number_, static_cast<std::uint32_t>(batch_.size())};
  std::memcpy(body, &call, sizeof call);
  std::memcpy(body + sizeof call, batch_.view().data(), batch_.size() * sizeof(PageIndex));
  core_.send(kEveryone, MessageType::kOrphanCall,
             {body, sizeof call + batch_.size() * sizeof(PageIndex)});
}

void Orphans::on_claim(NodeId from, const wire::OrphanClaim& claim) noexcept {
  if (batch_.empty() || claim.number != number_) return;
  answered_[from] = true;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (claim.has(i) && claimant_[i] == kNoNode) claimant_[i] = from;
  }
  settle();
}

void Orphans::settle() noexcept {
  bool complete = true;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    complete = complete && (!core_.is_member[node] || node == core_.self || answered_[node]);
  }
  settled_ = true;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (claimant_[i] != kNoNode || !is_orphan(batch_[i])) continue;
    settled_ = false;
    lost_ = lost_ || complete;
  }
}

void Orphans::on_timer() noexcept {
  if (core_.now < deadline()) return;
  next_call_ = core_.now + core_.config.recovery_retry;
  if (!core_.in_service() || core_.applied < core_.epoch_start) return;
  if (batch_.empty()) {
    collect();
    if (batch_.empty()) return;
    settle();
  }
  if (!settled_ && !lost_) call();
}

void Orphans::commit_pending() noexcept {
  if (!settled_) return;
  std::uint32_t words[wire::kMaxWords];
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    std::size_t count = 1;
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (claimant_[i] == node && is_orphan(batch_[i])) words[count++] = batch_[i];
    }
    if (count == 1) continue;
    PLURIX_ASSERT(core_.is_member[node]);  // nobody leaves meanwhile
    words[0] = node;
    commits_.commit_record(wire::RecordKind::kAssign, {words, count});
    core_.counters.pages_assigned += count - 1;
  }
  batch_.clear();
  settled_ = false;
  next_call_ = core_.now;
}

// ---- watching

void Recovery::heard(NodeId from) noexcept {
  if (!on_duty() || from >= kMaxNodes) return;
  heard_at_[from] = core_.now;
  confirmed_[from] = true;
}

void Recovery::watch() noexcept {
  // If we ourselves stood still, it was not the others who were silent.
  const bool slept = core_.now - last_watch_ > core_.config.lease;
  last_watch_ = core_.now;
  if (core_.in_service()) in_service_at_ = core_.now;
  next_watch_ = core_.now + core_.config.recovery_retry;
  bool suspect = false;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    const bool watched = core_.is_member[node] && node != core_.self;
    const bool same = known_[node] && incarnation_[node] == core_.incarnation_of[node];
    if (!watched || !same || slept) {
      known_[node] = watched;
      incarnation_[node] = core_.incarnation_of[node];
      if (!same) dead_[node] = false;
      heard_at_[node] = core_.now;
      continue;
    }
    suspect = suspect || core_.now - heard_at_[node] > core_.config.suspect_after;
  }
  if (suspect && !must_finish_resync() && !leaves()) return open();
  if (!slept) look_for_a_silent_member();
}

// It asks for a lease several times as often.
bool Recovery::may_be_absent(NodeId node) const noexcept {
  const bool watched = core_.is_member[node] && node != core_.self && known_[node];
  return watched && (core_.now - heard_at_[node]) * 2 > core_.config.lease;
}

void Recovery::look_for_a_silent_member() noexcept {
  for (std::size_t i = 0; i < kMaxNodes; ++i) {
    const auto node = static_cast<NodeId>((next_look_ + i) % kMaxNodes);
    if (!may_be_absent(node)) continue;
    next_look_ = node + 1;
    return look_for(membership_.entry(node));
  }
}

void Recovery::look_for_a_silent_candidate() noexcept {
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const auto index = (next_look_ + i) % candidates_.size();
    if (candidates_[index].reported || candidates_[index].dead) continue;
    next_look_ = index + 1;
    return look_for(candidates_[index].entry);
  }
}

void Recovery::look_for(const wire::MemberEntry& entry) noexcept {
  looked_for_ = entry;
  core_.act({.kind = ActionKind::kPeerSilent, .node = entry.node, .endpoint = entry.endpoint});
}

void Recovery::on_absence(Instant asked_at) noexcept {
  if (!on_duty() || mutated("absence_ignored")) return;
  for (auto& candidate : candidates_) {
    const bool asked = opening_ != 0 && candidate.entry.endpoint == looked_for_.endpoint;
    candidate.dead = candidate.dead || (asked && !candidate.reported);
  }
  const auto node = looked_for_.node;
  if (node >= kMaxNodes) return;  // nobody was looked for
  const bool same = core_.incarnation_of[node] == looked_for_.incarnation;
  // Who was heard behind that lives: it began there anew.
  if (opening_ == 0 && same && heard_at_[node] < asked_at) on_death(node);
}

bool Recovery::must_finish_resync() const noexcept {
  // Only when nobody has helped us for long is it worth going back to the image.
  return core_.resyncing && core_.now - in_service_at_ < core_.config.suspect_after * 8;
}

bool Recovery::leaves() const noexcept {
  return membership_.may_be_gone() && !mutated("leaving_page_server_opens_epoch");
}

bool Recovery::settling() const noexcept {
  if (!on_duty()) return false;
  bool all = opening_ == 0;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    const bool waits = core_.is_member[node] && node != core_.self && !confirmed_[node];
    all = all && !(core_.epoch > 1 && waits);
  }
  return !all;
}

void Recovery::on_death(NodeId node) noexcept {
  if (!core_.is_member[node]) return;
  if (!on_duty()) {
    ++core_.counters.deaths_reported;
    const wire::DeathNotice notice{node, 0, core_.incarnation_of[node]};
    return core_.send_body(core_.page_server, MessageType::kDeathNotice, notice);
  }
  if (node == core_.self || opening_ != 0 || must_finish_resync() || leaves()) return;
  dead_[node] = true;
  open();
}

void Recovery::on_death_notice(const wire::DeathNotice& notice) noexcept {
  if (!on_duty() || notice.node >= kMaxNodes) return;
  if (core_.incarnation_of[notice.node] == notice.incarnation) on_death(notice.node);
}

// ---- opening an epoch

void Recovery::resume(Instant silent_since) noexcept {
  // Of an older line than the newest epoch's nothing counts: a later epoch may have undone it.
  rolled_back_in_ = core_.epoch;
  silent_since_ = silent_since;
  resuming_ = true;
  open();
}

Instant Recovery::patience_end() const noexcept {
  const auto leases = core_.config.lease * 4;
  if (!resuming_) return opened_at_ + leases;
  return std::max(silent_since_ + leases, opened_at_ + core_.config.lease);
}

void Recovery::open() noexcept {
  PLURIX_ASSERT(opening_ == 0);
  opening_ = std::max(core_.epoch, core_.promised) + 1;
  ++core_.counters.epochs_opened;
  epochs_.promise(opening_);
  opened_at_ = core_.now;
  candidates_.clear();
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    if (!core_.is_member[node] || node == core_.self) continue;
    add_candidate(membership_.entry(node), dead_[node]);
  }
  ask_candidates();
}

void Recovery::add_candidate(const wire::MemberEntry& entry, bool dead) noexcept {
  if (entry.incarnation == core_.incarnation) return;
  for (const auto& known : candidates_) {
    if (known.entry.incarnation == entry.incarnation && known.entry.endpoint == entry.endpoint) {
      return;
    }
  }
  (void)candidates_.push({entry, false, dead, {}});  // else: it will have to join again
}

void Recovery::ask_candidates() noexcept {
  next_ask_ = core_.now + core_.config.recovery_retry;
  look_for_a_silent_candidate();
  const wire::EpochOpen open{opening_, 0};
  for (const auto& candidate : candidates_) {
    if (candidate.reported || candidate.dead) continue;
    core_.send_to(candidate.entry.endpoint, MessageType::kEpochOpen,
                  std::as_bytes(std::span{&open, 1}));
  }
}

void Recovery::on_report(const Endpoint& from, std::uint32_t incarnation,
                         const wire::EpochReport& report, Bytes members) noexcept {
  if (!on_duty() || opening_ == 0 || report.epoch != opening_) return;
  // It has not heard of a rollback: what it has applied has been undone.
  if (report.entered < rolled_back_in_ && !mutated("undone_line_accepted")) return;
  for (auto& candidate : candidates_) {
    if (candidate.entry.incarnation != incarnation || !(candidate.entry.endpoint == from)) continue;
    candidate.reported = true;
    candidate.applied = report.applied;
    // It may know members that have joined in commits we have not applied.
    for (std::size_t i = 0; i < report.members; ++i) {
      const auto entry = wire::element<wire::MemberEntry>(members, i);
      if (!membership_.has_departed(entry.endpoint, entry.incarnation)) add_candidate(entry, false);
    }
    return;
  }
}

bool Recovery::all_reported() const noexcept {
  if (resuming_) return false;  // who they are is not known
  for (const auto& candidate : candidates_) {
    if (!candidate.reported && !candidate.dead) return false;
  }
  return true;
}

void Recovery::begin() noexcept {
  if (core_.resyncing) rollback_ = true;  // our own pages are half void, and nobody helped us
  std::byte body[kMaxNodes * sizeof(wire::MemberEntry)];
  wire::EpochBegin begin;
  begin.epoch = opening_;
  auto own = membership_.entry(core_.self);
  std::memcpy(body, &own, sizeof own);
  begin.members = 1;
  bool taken[kMaxNodes] = {};
  taken[core_.self] = true;
  for (auto& candidate : candidates_) {
    const auto& entry = candidate.entry;
    candidate.reported = candidate.reported && !taken[entry.node] && begin.members < kMaxNodes;
    if (!candidate.reported) continue;
    taken[entry.node] = true;
    std::memcpy(body + begin.members++ * sizeof entry, &entry, sizeof entry);
  }
  choose_start(begin);
  if (resuming_ && begin.source == core_.self) rollback_ = true;
  resumed_ = resuming_ && !rollback_;
  if (rollback_) choose_image(begin);
  opening_ = 0;
  rollback_ = false;
  resuming_ = false;
  source_ = begin.source;
  epochs_.enter(begin, {body, begin.members * sizeof(wire::MemberEntry)});
  token_.make_at(begin.start);
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    confirmed_[node] = false;
    dead_[node] = false;
    heard_at_[node] = core_.now;
  }
  orphans_.restart();
  token_.keep(true);
  repeat_begin();
}

void Recovery::choose_start(wire::EpochBegin& begin) const noexcept {
  begin.start = core_.applied;
  begin.source = core_.self;
  for (const auto& candidate : candidates_) {
    if (!candidate.reported || mutated("epoch_starts_too_early")) continue;
    // The image has what was committed up to it, and the members the owners of its pages.
    const bool same = resuming_ && begin.source == core_.self && candidate.applied == begin.start;
    if (candidate.applied <= begin.start && !same) continue;
    begin.start = candidate.applied;
    begin.source = candidate.entry.node;
  }
}

void Recovery::choose_image(wire::EpochBegin& begin) noexcept {
  const bool none = core_.durable == CommitTime{};
  begin.rollback = 1;
  begin.start = core_.durable;
  begin.source = core_.self;
  begin.high_water = none ? core_.formatted : core_.image_high_water;
  rollback_high_water_ = begin.high_water;
  rolled_back_in_ = begin.epoch;
}

void Recovery::send_begin(const Endpoint& to) noexcept {
  std::byte body[sizeof(wire::EpochBegin) + kMaxNodes * sizeof(wire::MemberEntry)];
  wire::MemberEntry entries[kMaxNodes];
  wire::EpochBegin begin;
  begin.epoch = core_.epoch;
  begin.start = core_.epoch_start;
  begin.source = source_ < kMaxNodes && core_.is_member[source_] ? source_ : core_.self;
  begin.rollback = rolled_back_in_ == core_.epoch ? 1 : 0;
  begin.high_water = begin.rollback == 1 ? rollback_high_water_ : 0;
  begin.members = static_cast<std::uint32_t>(membership_.copy_members(entries));
  std::memcpy(body, &begin, sizeof begin);
  std::memcpy(body + sizeof begin, entries, begin.members * sizeof entries[0]);
  core_.send_to(to, MessageType::kEpochBegin,
                {body, sizeof begin + begin.members * sizeof entries[0]});
}

void Recovery::repeat_begin() noexcept {
  next_ask_ = core_.now + core_.config.recovery_retry;
  for (NodeId node = 0; node < kMaxNodes; ++node) {
    const bool waits = core_.is_member[node] && node != core_.self && !confirmed_[node];
    if (waits) send_begin(membership_.entry(node).endpoint);
  }
}

void Recovery::on_query(const Endpoint& from, const wire::FrameHeader& header,
                        const wire::EpochQuery& query) noexcept {
  if (!on_duty()) return;
  if (resuming_) return welcome(from, header);
  if (opening_ != 0) return;  // who is a member will be known soon
  // Who is in our epoch and not known here has joined in a commit that is still to come.
  const auto node = membership_.find(from, header.incarnation);
  if (node != kNoNode && header.epoch == core_.epoch) {
    heard(node);
    if (query.wants_image != 0) core_.image_asked = true;
    const wire::EpochLease lease{query.number, 0, core_.durable};
    return core_.send_body(node, MessageType::kEpochLease, lease);
  }
  if (header.epoch >= core_.epoch) return;
  send_begin(from);
}

void Recovery::welcome(const Endpoint& from, const wire::FrameHeader& header) noexcept {
  if (header.sender >= kMaxNodes || header.sender == core_.self) return;
  const auto known = candidates_.size();
  add_candidate({header.sender, 0, header.incarnation, from}, false);
  if (candidates_.size() != known) ask_candidates();
}

// ---- time

void Recovery::on_timer() noexcept {
  if (!on_duty()) return;
  if (opening_ == 0) {
    if (core_.epoch > 1 && core_.now >= next_ask_) repeat_begin();
    orphans_.on_timer();
    token_.keep(orphans_.busy() || core_.image_stops_cluster);
    if (orphans_.lost()) {
      rollback_ = true;
      return open();
    }
    if (core_.now >= next_watch_ || next_watch_ == kNever) watch();
    return;
  }
  if (core_.now >= next_ask_) ask_candidates();
  const bool patience_over = core_.now >= patience_end();
  if ((all_reported() || patience_over) && epochs_.possible()) begin();
}

Instant Recovery::deadline() const noexcept {
  if (!on_duty()) return kNever;
  if (opening_ != 0) {
    return core_.now < patience_end() ? earlier(next_ask_, patience_end()) : next_ask_;
  }
  return earlier(next_watch_, orphans_.deadline());
}

}  // namespace plurix

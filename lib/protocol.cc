#include <plurix/base/mutation.h>
#include <plurix/commit/first_wins.h>
#include <plurix/dsm/protocol.h>

namespace plurix {

using wire::DropReason;
using wire::MessageType;

ProtocolCore::ProtocolCore(const CoreConfig& config, std::byte* frames,
                           std::span<std::byte> storage, bool yields_to_late) noexcept
    : core_(config, actions_),
      arena_(storage),
      directory_(core_, arena_, frames),
      attempt_(core_, directory_, arena_),
      catch_up_(core_, arena_),
      imaging_(core_, directory_, attempt_, arena_),
      paging_(core_, directory_, attempt_, catch_up_, imaging_),
      commits_(core_, directory_, attempt_, catch_up_, imaging_),
      token_(core_, catch_up_, yields_to_late),
      membership_(core_, directory_, paging_, commits_, catch_up_, token_),
      resync_(core_, directory_, attempt_, commits_, catch_up_, paging_, token_, membership_),
      epochs_(core_, directory_, attempt_, catch_up_, paging_, token_, membership_, imaging_),
      epoch_member_(core_, epochs_, membership_, imaging_),
      orphans_(core_, directory_, commits_),
      recovery_(core_, epochs_, membership_, token_, orphans_),
      lookout_(core_, membership_) {
  PLURIX_ASSERT(config.words_per_packet >= 1 && config.words_per_packet <= wire::kMaxWords);
  PLURIX_ASSERT(config.shadow_pages <= wire::kMaxPackets * config.words_per_packet);
}

std::size_t ProtocolCore::storage_needed(const CoreConfig& config) noexcept {
  const std::size_t pages = config.geometry.pages;
  Arena counting({});
  (void)counting.take<PageState>(pages);
  (void)counting.take<Rights>(pages);
  (void)counting.take<NodeId>(pages);
  (void)counting.take<CommitTime>(pages);
  (void)counting.take<std::uint64_t>(pages);
  (void)counting.take<std::uint64_t>(pages);
  (void)counting.take<PageIndex>(pages);
  (void)counting.take<PageIndex>(config.shadow_pages);
  (void)counting.take<std::uint32_t>(pages);
  (void)counting.take<std::byte>(std::size_t{config.shadow_pages} * kPageSize);
  CommitLog log(config.log_records, config.log_words, counting);
  Imaging::count_storage(config, counting);
  return counting.used() + 64;
}

void ProtocolCore::take(const Event& event, Instant now) noexcept {
  actions_.clear();
  core_.now = now;
  epoch_member_.check_lease();
  std::visit([this](const auto& e) { on(e); }, event);
  run_timers();
  progress();
}

void ProtocolCore::progress() noexcept {
  apply_commits();
  use_token();
}

// ---- events of the application

void ProtocolCore::on(const event::AttemptBegun&) noexcept {
  attempt_.begin();
  commit_wanted_ = false;
  latest_wanted_ = false;
  latest_known_ = false;
  out_of_shadows_ = false;
  if (core_.resyncing || core_.frozen()) attempt_.doom(kNoPage, core_.applied);
}

void ProtocolCore::on(const event::LocalFault& e) noexcept {
  if (attempt_.doomed()) return;
  paging_.fetch_for_attempt(e.page);
  if (!is_present(e.page)) return;
  if (e.access == Access::kWrite && !attempt_.add_write(e.page)) {
    out_of_shadows_ = true;
    return;
  }
  if (!e.map) return;
  const auto needed = e.access == Access::kWrite ? Rights::kWrite : Rights::kRead;
  if (directory_.rights(e.page) < needed) directory_.protect(e.page, needed);
}

void ProtocolCore::on(const event::PageWanted& e) noexcept { paging_.fetch(e.page); }

void ProtocolCore::on(const event::CommitWanted& e) noexcept {
  PLURIX_ASSERT(attempt_.active());
  if (attempt_.doomed()) return;
  commit_wanted_ = true;
  collisions_ = e.collisions;
}

void ProtocolCore::on(const event::AttemptEnded&) noexcept {
  if (attempt_.doomed()) ++core_.counters.aborts;
  if (attempt_.active()) attempt_.roll_back();
  commit_wanted_ = false;
  latest_wanted_ = false;
  if (!hold_wanted_) token_.unwant();
}

void ProtocolCore::on(const event::TokenWanted& e) noexcept {
  hold_wanted_ = true;
  collisions_ = e.collisions;
}

void ProtocolCore::on(const event::TokenReleased&) noexcept {
  hold_wanted_ = false;
  token_.hold_back(false);
  token_.unwant();
}

void ProtocolCore::on(const event::LatestWanted&) noexcept {
  latest_wanted_ = true;
  latest_known_ = false;
  latest_tries_ = 0;
  ++latest_number_;
  ask_latest();
}

void ProtocolCore::on(const event::FoundWanted& e) noexcept {
  membership_.found(e.own, e.formatted);
  next_beacon_ = core_.now + core_.config.beacon;
}

void ProtocolCore::on(const event::ResumeWanted& e) noexcept {
  membership_.resume(e.own, e.formatted, e.cluster);
  set_image_base(e.cluster.time, e.cluster.high_water);
  recovery_.resume(e.cluster.silent_since);
}

void ProtocolCore::on(const event::JoinWanted& e) noexcept { membership_.join(e); }

void ProtocolCore::on(const event::LeaveWanted&) noexcept {
  // For an image that stops the cluster the token would be kept, and nobody could let us go.
  if (core_.page_server == core_.self) imaging_.give_up();
  membership_.leave();
}

void ProtocolCore::on(const event::PeerAbsent& e) noexcept {
  if (core_.member && e.node == core_.page_server) epoch_member_.on_absence(e.asked_at);
  recovery_.on_absence(e.asked_at);
}

void ProtocolCore::on(const event::ImageWanted& e) noexcept {
  if (!core_.frozen() && !membership_.leaving()) imaging_.want(e.stop_cluster);
}

void ProtocolCore::on(const event::ImageHeld& e) noexcept { imaging_.hold(e.held); }

void ProtocolCore::on(const event::ImageStored& e) noexcept { imaging_.on_stored(e.durable); }

void ProtocolCore::on(const event::DurableWanted& e) noexcept {
  core_.wants_image = e.wanted;
  if (e.wanted) epoch_member_.ask_for_image();
}

// ---- frames

void ProtocolCore::on(const event::FrameArrived& e) noexcept {
  wire::FrameView frame;
  auto reason = wire::check_frame(e.frame, frame);
  if (reason == DropReason::kNone) reason = admit(frame, e.from);
  if (reason != DropReason::kNone) return core_.drop(reason);
  ++core_.counters.frames_received;
  if (!dispatch(frame, e.from)) core_.drop(DropReason::kMalformedBody);
}

void ProtocolCore::on(const event::FrameOverheard& e) noexcept {
  wire::FrameView frame;
  wire::PageReply reply;
  Bytes contents;
  if (wire::check_frame(e.frame, frame) != DropReason::kNone) return;
  if (frame.header.type != MessageType::kPageReply) return;
  if (!wire::NoAuth{}.verify(frame.header, frame.body)) return;
  if (!admits_overheard(frame.header, e.from)) return;
  if (!wire::read_page_reply(frame.body, reply, contents)) return;
  paging_.on_overheard(frame.header, reply, contents);
}

bool ProtocolCore::admits_overheard(const wire::FrameHeader& header,
                                    const Endpoint& from) const noexcept {
  const bool of_us = core_.in_service() && header.cluster == core_.cluster &&
                     header.epoch == core_.epoch && core_.config.page_server;
  return of_us && header.sender != core_.self && membership_.is_genuine(header, from);
}

namespace {

/// These bring nodes of different epochs together, so their epoch decides nothing.
bool crosses_epochs(MessageType type) noexcept {
  return type == MessageType::kEpochOpen || type == MessageType::kEpochReport ||
         type == MessageType::kEpochBegin || type == MessageType::kEpochQuery;
}

}  // namespace

DropReason ProtocolCore::admit(const wire::FrameView& frame, const Endpoint& from) noexcept {
  const auto& header = frame.header;
  if (!wire::NoAuth{}.verify(header, frame.body)) return DropReason::kBadAuth;
  if (((header.cluster ^ core_.cluster) & CoreContext::kNameHalf) != 0) {
    return DropReason::kForeignCluster;
  }
  switch (header.type) {
    case MessageType::kJoinRequest:
    case MessageType::kJoinChallenge:
    case MessageType::kJoinGrant:
    case MessageType::kJoinRefused:
    case MessageType::kJoinWait:
      return DropReason::kNone;
    default:
      break;
  }
  if (!core_.member) return DropReason::kNotJoined;
  if (header.cluster != core_.cluster && !mutated("foreign_cluster_accepted")) {
    return DropReason::kForeignCluster;
  }
  if (crosses_epochs(header.type)) return DropReason::kNone;  // their handlers know the sender
  const bool from_page_server =
      header.sender == core_.page_server && membership_.is_genuine(header, from);
  if (from_page_server) epoch_member_.on_newer(header.epoch);
  const bool frozen = core_.frozen() && !mutated("frozen_node_goes_on");
  const bool current = header.epoch == core_.epoch && !frozen;
  if (!current && !mutated("old_epoch_accepted")) return DropReason::kOldEpoch;
  const bool to_us =
      header.receiver == core_.self &&
      (header.receiver_incarnation == core_.incarnation || mutated("former_life_addressed"));
  if (!to_us && header.receiver != kEveryone) return DropReason::kWrongReceiver;
  if (header.sender == core_.self) return DropReason::kUnknownSender;
  if (!membership_.is_genuine(header, from)) {
    // Perhaps it has joined in a commit we have not applied yet: then we are behind, and whoever we
    // know can help. Its message is dropped all the same.
    if (core_.follows()) catch_up_.on_rumour(header.commit_time);
    lookout_.on_stranger();
    membership_.tell_departed(header, from);
    return DropReason::kUnknownSender;
  }
  recovery_.heard(header.sender);
  return DropReason::kNone;
}

bool ProtocolCore::dispatch(const wire::FrameView& frame, const Endpoint& from) noexcept {
  const auto& header = frame.header;
  const auto sender = header.sender;
  const auto body = frame.body;
  switch (header.type) {
    case MessageType::kJoinRequest:
    case MessageType::kJoinChallenge:
    case MessageType::kJoinGrant:
    case MessageType::kJoinRefused:
    case MessageType::kJoinWait:
      return dispatch_join(frame, from);
    case MessageType::kEpochOpen:
    case MessageType::kEpochReport:
    case MessageType::kEpochBegin:
    case MessageType::kEpochQuery:
      return dispatch_epoch(frame, from);
    default:
      break;
  }
  if (!core_.resyncing) catch_up_.note_time(sender, header.commit_time);
  // Between us and a slow node all queues are full of notices, and whatever it waits for stands in
  // them behind those. As long as it shows to be so late, pauses let them drain.
  if (lags_far(header.commit_time) && !token_.must_yield()) token_.throttle(true);
  switch (header.type) {
    case MessageType::kPageRequest: {
      wire::PageRequest request;
      if (!wire::read_body(body, request)) return false;
      if (core_.in_service()) on_page_request(header, request);
      return true;
    }
    case MessageType::kPageReply: {
      wire::PageReply reply;
      Bytes contents;
      if (!wire::read_page_reply(body, reply, contents)) return false;
      if (core_.in_service()) paging_.on_page_reply(header, reply, contents);
      return true;
    }
    case MessageType::kPageRedirect: {
      wire::PageRedirect answer;
      if (!wire::read_body(body, answer)) return false;
      if (core_.in_service()) paging_.on_page_redirect(answer);
      return true;
    }
    case MessageType::kTokenRequest: {
      TokenRequest request;
      if (!wire::read_body(body, request)) return false;
      token_.on_request(header, request);
      return true;
    }
    case MessageType::kTokenGrant: {
      wire::TokenGrant grant;
      Bytes waiting;
      if (!wire::read_token_grant(body, grant, waiting)) return false;
      token_.on_grant(header, grant, waiting);
      return true;
    }
    case MessageType::kTokenAck: {
      wire::TokenAck ack;
      if (!wire::read_body(body, ack)) return false;
      token_.on_ack(ack);
      return true;
    }
    case MessageType::kCommitNotice:
    case MessageType::kCommitRecords:
      return dispatch_records(frame);
    case MessageType::kCatchUpRequest: {
      wire::CatchUpRequest request;
      if (!wire::read_body(body, request)) return false;
      if (!core_.in_service()) return true;
      if (lags_far(request.from)) token_.throttle(false);
      catch_up_.on_catch_up_request(sender, request);
      return true;
    }
    case MessageType::kLogExhausted: {
      wire::LogExhausted answer;
      if (!wire::read_body(body, answer)) return false;
      ++core_.counters.log_exhausted;
      if (core_.follows() && catch_up_.on_log_exhausted(answer)) resync_.start(sender);
      return true;
    }
    case MessageType::kSyncRequest: {
      wire::SyncRequest request;
      if (!wire::read_body(body, request)) return false;
      token_.throttle(resync_.asks_again(sender, request));
      resync_.on_request(sender, request);
      return true;
    }
    case MessageType::kSyncReply: {
      wire::SyncReply reply;
      Bytes entries;
      if (!wire::read_sync_reply(body, reply, entries)) return false;
      resync_.on_reply(header, reply, entries);
      // What was committed since the first answer is still to be caught up with.
      if (!core_.resyncing) catch_up_.note_time(sender, header.commit_time);
      return true;
    }
    case MessageType::kTimeBeacon:
      return body.empty();
    case MessageType::kTimeQuery:
      return on_time_query(sender, body);
    case MessageType::kTimeReply:
      return on_time_reply(header, body);
    case MessageType::kAdoptRequest: {
      wire::AdoptRequest request;
      Bytes page_list;
      if (!wire::read_adopt_request(body, request, page_list)) return false;
      if (core_.in_service()) membership_.on_adopt_request(sender, request, page_list);
      return true;
    }
    case MessageType::kLeaveRequest:
      if (!body.empty()) return false;
      if (core_.in_service()) membership_.on_leave_request(sender);
      return true;
    case MessageType::kEpochLease: {
      wire::EpochLease lease;
      if (!wire::read_body(body, lease)) return false;
      if (sender == core_.page_server) epoch_member_.on_lease(lease);
      return true;
    }
    case MessageType::kImageRequest:
    case MessageType::kImagePage:
    case MessageType::kImageNotice:
      return dispatch_image(frame);
    case MessageType::kDeathNotice: {
      wire::DeathNotice notice;
      if (!wire::read_body(body, notice)) return false;
      recovery_.on_death_notice(notice);
      return true;
    }
    case MessageType::kOrphanCall:
      return on_orphan_call(header, body);
    case MessageType::kOrphanClaim: {
      wire::OrphanClaim claim;
      if (!wire::read_body(body, claim)) return false;
      orphans_.on_claim(sender, claim);
      return true;
    }
    default:
      return false;
  }
}

bool ProtocolCore::dispatch_join(const wire::FrameView& frame, const Endpoint& from) noexcept {
  switch (frame.header.type) {
    case MessageType::kJoinRequest: {
      wire::JoinRequest request;
      if (!wire::read_body(frame.body, request)) return false;
      membership_.on_join_request(from, request);
      const auto died = membership_.take_noticed_death();
      if (died != kNoNode) recovery_.on_death(died);
      return true;
    }
    case MessageType::kJoinChallenge: {
      wire::JoinChallenge challenge;
      if (!wire::read_body(frame.body, challenge)) return false;
      membership_.on_join_challenge(frame.header, from, challenge);
      leave_old_epoch();
      return true;
    }
    case MessageType::kJoinGrant: {
      wire::JoinGrant grant;
      Bytes members;
      if (!wire::read_join_grant(frame.body, grant, members)) return false;
      const bool newcomer = membership_.joining();
      membership_.on_join_grant(frame.header, grant, members);
      if (newcomer && core_.member && !mutated("newcomer_imports_nothing"))
        resync_.import(frame.header.sender);
      return true;
    }
    case MessageType::kJoinRefused: {
      wire::JoinRefused answer;
      if (!wire::read_body(frame.body, answer)) return false;
      membership_.on_join_refused(frame.header, answer);
      leave_old_epoch();
      return true;
    }
    default: {
      wire::JoinWait wait;
      if (!wire::read_body(frame.body, wait)) return false;
      membership_.on_join_wait(from, wait);
      return true;
    }
  }
}

void ProtocolCore::leave_old_epoch() noexcept {
  if (!membership_.is_left_out()) return;
  // Under a running attempt no life begins: it is asked about again.
  if (!epochs_.possible()) return attempt_.doom(kNoPage, core_.applied);
  epochs_.start_new_life();
}

bool ProtocolCore::dispatch_epoch(const wire::FrameView& frame, const Endpoint& from) noexcept {
  const auto& header = frame.header;
  const auto body = frame.body;
  const bool from_page_server = header.sender == core_.page_server && header.sender != core_.self &&
                                membership_.is_genuine(header, from);
  switch (header.type) {
    case MessageType::kEpochOpen: {
      wire::EpochOpen open;
      if (!wire::read_body(body, open)) return false;
      if (from_page_server) epoch_member_.on_open(open);
      return true;
    }
    case MessageType::kEpochBegin: {
      wire::EpochBegin begin;
      Bytes members;
      if (!wire::read_epoch_begin(body, begin, members)) return false;
      if (from_page_server) epoch_member_.on_begin(begin, members);
      return true;
    }
    case MessageType::kEpochReport: {
      wire::EpochReport report;
      Bytes members;
      if (!wire::read_epoch_report(body, report, members)) return false;
      recovery_.on_report(from, header.incarnation, report, members);
      return true;
    }
    default: {
      wire::EpochQuery query;
      if (!wire::read_body(body, query)) return false;
      recovery_.on_query(from, header, query);
      return true;
    }
  }
}

bool ProtocolCore::dispatch_image(const wire::FrameView& frame) noexcept {
  const auto sender = frame.header.sender;
  if (frame.header.type == MessageType::kImageRequest) {
    wire::ImageRequest request;
    Bytes page_list;
    if (!wire::read_image_request(frame.body, request, page_list)) return false;
    if (core_.in_service()) imaging_.on_request(sender, request, page_list);
    return true;
  }
  if (frame.header.type == MessageType::kImagePage) {
    wire::ImagePage answer;
    Bytes contents;
    if (!wire::read_image_page(frame.body, answer, contents)) return false;
    if (imaging_.on_page(answer, contents)) paging_.keep(answer.page, contents);
    return true;
  }
  wire::ImageNotice notice;
  if (!wire::read_body(frame.body, notice)) return false;
  if (sender == core_.page_server) imaging_.on_notice(notice.durable);
  return true;
}

bool ProtocolCore::on_orphan_call(const wire::FrameHeader& from, Bytes body) noexcept {
  wire::OrphanCall call;
  Bytes page_list;
  if (!wire::read_orphan_call(body, call, page_list)) return false;
  // Only who has applied what the caller has knows which of its copies are void.
  if (!core_.in_service() || core_.applied < from.commit_time) return true;
  wire::OrphanClaim claim;
  claim.number = call.number;
  for (std::size_t i = 0; i < call.count; ++i) {
    const auto page = wire::element<PageIndex>(page_list, i);
    if (page >= directory_.pages()) return false;
    if (is_present(page)) claim.set(i);
  }
  core_.send_body(from.sender, MessageType::kOrphanClaim, claim);
  return true;
}

bool ProtocolCore::dispatch_records(const wire::FrameView& frame) noexcept {
  const bool notice = frame.header.type == MessageType::kCommitNotice;
  auto rest = frame.body;
  // Checked whole before any of it counts: a frame is good or it is not (DESIGN P6).
  do {
    wire::RecordView record;
    if (!wire::read_record(rest, directory_.pages(), record)) return false;
    // Nobody else knows a commit of ours before we do.
    if (record.header.writer == core_.self && record.header.time > core_.applied) return false;
  } while (!rest.empty());
  if (core_.resyncing) return true;
  rest = frame.body;
  while (!rest.empty()) {
    wire::RecordView record;
    (void)wire::read_record(rest, directory_.pages(), record);
    catch_up_.note_time(frame.header.sender, record.header.time);
    if (mutated("record_applied_twice")) commits_.apply(record, record.header.time);
    catch_up_.put(record);
    if (!notice) apply_commits();
  }
  apply_commits();
  if (notice) return true;
  catch_up_.on_progress();
  paging_.on_refusal();
  token_.on_refusal();
  return true;
}

void ProtocolCore::on_page_request(const wire::FrameHeader& from,
                                   const wire::PageRequest& request) noexcept {
  const auto answer = paging_.on_page_request(from, request);
  if (answer == Paging::Answer::kOutOfDate) token_.yield_for_page();
  if (answer == Paging::Answer::kServed) token_.end_yield_for_page();
}

bool ProtocolCore::lags_far(CommitTime from) const noexcept {
  return core_.applied > from && core_.applied - from > core_.config.log_records / 8;
}

bool ProtocolCore::on_time_query(NodeId from, Bytes body) noexcept {
  wire::TimeQuery query;
  if (!wire::read_body(body, query)) return false;
  if (token_.usable() || mutated("latest_told_by_anybody")) {
    core_.send_body(from, MessageType::kTimeReply, query);
  }
  return true;
}

bool ProtocolCore::on_time_reply(const wire::FrameHeader& from, Bytes body) noexcept {
  wire::TimeReply reply;
  if (!wire::read_body(body, reply)) return false;
  if (latest_wanted_ && reply.number == latest_number_) {
    latest_known_ = true;
    latest_wanted_ = false;
    latest_ = from.commit_time;
  }
  return true;
}

// ---- time

void ProtocolCore::run_timers() noexcept {
  core_.epoch_settling = membership_.leaving() && recovery_.settling();
  membership_.on_timer();
  if (!core_.member) return;
  if (next_beacon_ == kNever) next_beacon_ = core_.now + core_.config.beacon;
  epoch_member_.on_timer();
  core_.image_stops_cluster = imaging_.stops_cluster();
  recovery_.on_timer();
  lookout_.on_timer(waits());
  if (!core_.member || core_.frozen()) return;
  if (recovery_.take_resumed()) resync_.resume(recovery_.source());
  paging_.on_timer();
  token_.on_timer();
  catch_up_.on_timer();
  imaging_.on_timer();
  resync_.on_timer();
  if (resync_.is_stranded() && epochs_.possible()) return epochs_.join_again();
  if (latest_wanted_ && core_.now >= next_latest_) ask_latest();
  send_beacon_if_due();
}

bool ProtocolCore::waits() const noexcept {
  const bool for_others = paging_.waits() || token_.waits() || latest_wanted_;
  return !core_.in_service() || catch_up_.behind() || for_others || membership_.leaving();
}

void ProtocolCore::send_beacon_if_due() noexcept {
  if (core_.now < next_beacon_) return;
  // The holder's time is the newest there is; the others only fill in while it is under way.
  next_beacon_ = core_.now + core_.config.beacon * (token_.held() ? 1 : 8);
  if (core_.peers == 0 || mutated("beacon_not_sent")) return;
  ++core_.counters.beacons;
  core_.send(kEveryone, MessageType::kTimeBeacon, {});
}

void ProtocolCore::ask_latest() noexcept {
  if (token_.usable()) {
    latest_known_ = true;
    latest_wanted_ = false;
    latest_ = core_.applied;
    return;
  }
  next_latest_ =
      core_.now + backoff(core_.config.token_retry, latest_tries_, core_.config.longest_retry);
  const auto hint = token_.holder_hint();
  const bool unicast = latest_tries_ == 0 && hint != kNoNode && hint != core_.self;
  ++latest_tries_;
  core_.send_body(unicast ? hint : kEveryone, MessageType::kTimeQuery,
                  wire::TimeQuery{latest_number_, 0});
}

Instant ProtocolCore::deadline() const noexcept {
  auto soonest = membership_.deadline();
  if (!core_.member) return soonest;
  soonest = earlier(soonest, epoch_member_.deadline());
  soonest = earlier(soonest, recovery_.deadline());
  soonest = earlier(soonest, lookout_.deadline());
  if (core_.frozen()) return soonest;
  soonest = earlier(soonest, next_beacon_);
  soonest = earlier(soonest, paging_.deadline());
  soonest = earlier(soonest, token_.deadline());
  soonest = earlier(soonest, catch_up_.deadline());
  soonest = earlier(soonest, imaging_.deadline());
  soonest = earlier(soonest, resync_.deadline());
  if (latest_wanted_) soonest = earlier(soonest, next_latest_);
  return soonest;
}

// ---- what has become possible

void ProtocolCore::apply_commits() noexcept {
  const bool goes_on = mutated("frozen_node_goes_on") && core_.frozen();
  if (!core_.follows() && !goes_on) return;
  if (core_.cut_off && mutated("cut_off_member_applies_nothing")) return;
  const auto before = core_.applied;
  while (const auto packets = catch_up_.next_commit()) {
    const auto last = core_.applied + packets;
    for (std::uint16_t i = 0; i < packets; ++i) {
      const auto& record = catch_up_.pending(core_.applied + 1 + i);
      commits_.apply(record, last);
      membership_.apply(record);
      if (record.header.kind == wire::RecordKind::kAdopt) membership_.on_adoption();
      catch_up_.log.append(record.header, record.words);
      token_.set_holder_hint(record.header.writer);
      ++core_.counters.records_applied;
    }
    core_.applied = last;
    if (!core_.member) return;
  }
  if (core_.applied == before) return;
  epoch_member_.check_lease();  // the PageServer may have left, or come
  paging_.on_advance();
}

void ProtocolCore::use_token() noexcept {
  if (!core_.in_service()) return;
  if (attempt_.doomed()) commit_wanted_ = false;
  const bool wanted = commit_wanted_ || hold_wanted_ || membership_.wants_token() ||
                      orphans_.wants_token() || may_begin_image();
  // What it was wanted for may have come to nothing. The next wish is a request of its own: of this
  // one the holder may know that it was fulfilled.
  if (!wanted) return token_.unwant();
  if (!token_.usable()) {
    if (!catch_up_.behind()) token_.want(collisions_);
    return;
  }
  token_.unwant();
  if (hold_wanted_) token_.hold_back(true);
  if (token_.must_yield() && !token_.held_back()) return;
  if (commit_wanted_) {
    if (mutated("token_passed_before_notice")) token_.consider(FirstWins{});
    last_commit_ = commits_.commit_attempt();
    last_commit_epoch_ = core_.epoch;
    commit_wanted_ = false;
  }
  membership_.commit_pending();
  orphans_.commit_pending();
  if (may_begin_image()) begin_image();
  paging_.on_advance();
}

bool ProtocolCore::may_begin_image() const noexcept {
  return imaging_.wants_token() && !recovery_.busy() && core_.page_server == core_.self;
}

void ProtocolCore::begin_image() noexcept {
  const auto since = imaging_.since().value;
  const std::uint32_t words[] = {static_cast<std::uint32_t>(since),
                                 static_cast<std::uint32_t>(since >> 32)};
  commits_.commit_record(wire::RecordKind::kImage, words);
  imaging_.begin();
  core_.image_stops_cluster = imaging_.stops_cluster();
  if (core_.image_stops_cluster) token_.keep(true);
}

}  // namespace plurix

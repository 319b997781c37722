#include <plurix/base/mutation.h>
#include <plurix/dsm/epoch.h>

namespace plurix {

using wire::MessageType;

// ---- the switch

void EpochSwitch::promise(Epoch epoch) noexcept {
  PLURIX_ASSERT(epoch > core_.epoch && epoch >= core_.promised);
  core_.promised = epoch;
  attempt_.doom(kNoPage, core_.applied);
}

void EpochSwitch::enter(const wire::EpochBegin& begin, Bytes members) noexcept {
  PLURIX_ASSERT(possible() && begin.epoch > core_.epoch);
  core_.epoch = begin.epoch;
  core_.promised = begin.epoch;
  core_.epoch_start = begin.start;
  core_.undone.add(begin.epoch, begin.start);
  core_.cut_off = false;
  core_.act({.kind = ActionKind::kEpochBegan, .epoch = core_.epoch});
  imaging_.give_up();
  if (begin.rollback == 1) go_back(begin);
  core_.frames_hold_image = false;
  catch_up_.enter_epoch(begin.start, begin.source);
  if (!mutated("leave_outlives_epoch")) membership_.forget_requests();
  membership_.replace(members, begin.members, begin.start);
  token_.enter_epoch(core_.page_server);
  paging_.restart();
  ++core_.counters.epochs_entered;
}

void EpochSwitch::go_back(const wire::EpochBegin& begin) noexcept {
  ++core_.counters.rollbacks;
  // What was here at the image's time, and was not written since, is what the image has.
  const bool had_it = core_.applied >= begin.start && !core_.resyncing;
  const bool ask = core_.page_server != core_.self && begin.start > CommitTime{};
  if (!core_.frames_hold_image) {
    directory_.erase_since(had_it ? begin.start : CommitTime{}, ask ? begin.high_water : 0);
  }
  paging_.forget();
  core_.resyncing = false;
  core_.applied = begin.start;
  core_.high_water = begin.high_water;
  catch_up_.restart_at(begin.start);
  // Behind the formatted pages of an image at time 0 nothing was ever written.
  for (PageIndex page = 0; page < begin.high_water && begin.start > CommitTime{}; ++page) {
    if (directory_.state(page) == PageState::kAbsent) directory_.set_written(page, begin.start);
    directory_.set_owner_hint(page, core_.page_server);
    if (core_.page_server == core_.self) directory_.set_state(page, PageState::kOwned);
  }
  // Also before the first image: what the store was in the middle of is undone.
  const bool told = begin.start > CommitTime{} || !mutated("undone_first_image_not_told");
  if (core_.page_server != core_.self || !told || core_.frames_hold_image) return;
  core_.act({.kind = ActionKind::kRestore, .time = begin.start});
}

void EpochSwitch::start_new_life() noexcept {
  ++core_.counters.expulsions;
  forget_cluster();
  membership_.start_new_life();
}

void EpochSwitch::join_again() noexcept {
  forget_cluster();
  membership_.join_again();
}

void EpochSwitch::forget_cluster() noexcept {
  PLURIX_ASSERT(possible());
  directory_.erase();
  paging_.forget();
  core_.resyncing = false;
  core_.cut_off = false;
  imaging_.give_up();
  core_.undone.lose_thread(core_.epoch);
  core_.durable = CommitTime{};
  core_.epoch = 0;
  core_.promised = 0;
  core_.epoch_start = CommitTime{};
  core_.cluster &= CoreContext::kNameHalf;
  core_.applied = CommitTime{};
  core_.high_water = core_.formatted;
  catch_up_.restart_at(CommitTime{});
  catch_up_.enter_epoch(CommitTime{}, kNoNode);
  token_.enter_epoch(kNoNode);
  token_.unwant();
}

// ---- the member

void EpochMember::on_newer(Epoch epoch) noexcept {
  if (epoch > core_.epoch && epoch > core_.promised) epochs_.promise(epoch);
}

void EpochMember::on_lease(const wire::EpochLease& lease) noexcept {
  if (lease.number > queries_ || queries_ - lease.number >= kQueriesInALease) return;
  const auto asked_at = asked_at_[lease.number % kQueriesInALease];
  if (lease_from_ < asked_at) lease_from_ = asked_at;
  if (answered_from_ < asked_at) answered_from_ = asked_at;
  if (mutated("lease_counts_from_the_answer")) lease_from_ = core_.now;
  if (core_.now - lease_from_ < core_.config.lease) core_.cut_off = false;
  imaging_.on_notice(lease.durable);
}

void EpochMember::on_absence(Instant asked_at) noexcept {
  if (core_.cut_off && !mutated("absence_revives_lease")) return;
  if (core_.frozen() || asked_at - answered_from_ > core_.config.absence) return;
  if (lease_from_ < asked_at) lease_from_ = asked_at;
  // From here on it must not run out, so there is not much of a lease between the questions.
  next_query_ = core_.now + Duration{core_.config.lease.ns / kQuestionsInAbsence};
  if (mutated("absence_revives_lease")) core_.cut_off = false;
  ++core_.counters.absences;
}

void EpochMember::on_open(const wire::EpochOpen& open) noexcept {
  if (open.epoch <= core_.epoch || open.epoch < core_.promised) return;
  if (open.epoch > core_.promised) epochs_.promise(open.epoch);
  // In the middle of a resynchronization pages may be void here because of commits that the epoch
  // undoes, and what they were is not known any more: such a node has nothing to report.
  if (!core_.resyncing || mutated("half_resynchronized_node_reports")) report(open.epoch);
}

void EpochMember::report(Epoch epoch) noexcept {
  std::byte body[sizeof(wire::EpochReport) + kMaxNodes * sizeof(wire::MemberEntry)];
  wire::MemberEntry entries[kMaxNodes];
  wire::EpochReport report;
  report.epoch = epoch;
  report.entered = core_.epoch;
  report.applied = core_.applied;
  report.members = static_cast<std::uint32_t>(membership_.copy_members(entries));
  std::memcpy(body, &report, sizeof report);
  std::memcpy(body + sizeof report, entries, report.members * sizeof entries[0]);
  core_.send(core_.page_server, MessageType::kEpochReport,
             {body, sizeof report + report.members * sizeof entries[0]});
}

bool EpochMember::lists_us(const wire::EpochBegin& begin, Bytes members) const noexcept {
  for (std::size_t i = 0; i < begin.members; ++i) {
    const auto entry = wire::element<wire::MemberEntry>(members, i);
    if (entry.node == core_.self && entry.incarnation == core_.incarnation) return true;
  }
  return false;
}

void EpochMember::on_begin(const wire::EpochBegin& begin, Bytes members) noexcept {
  if (begin.epoch <= core_.epoch || begin.epoch < core_.promised) return;
  // Under a running attempt no epoch begins: the PageServer tells us again.
  if (!epochs_.possible()) return epochs_.promise(begin.epoch);
  const bool keeps_pages = begin.rollback == 0;
  const bool undone = core_.applied > begin.start && keeps_pages;
  const bool half = core_.resyncing && keeps_pages;
  if ((!lists_us(begin, members) || undone) && !mutated("expelled_node_goes_on")) {
    return epochs_.start_new_life();
  }
  if (half && !mutated("half_resynchronized_node_reports")) return epochs_.start_new_life();
  epochs_.enter(begin, members);
  core_.cut_off = true;  // until the PageServer has seen us in it
  next_query_ = core_.now;
}

void EpochMember::check_lease() noexcept {
  if (!has_page_server()) {
    watched_ = kNoNode;
    core_.cut_off = false;  // it has left: nobody begins an epoch without this node
    return;
  }
  if (core_.cut_off) return;
  if (watched_ != core_.page_server) {
    // Before its first answer the PageServer may not know us, and would not wait for our lease.
    watched_ = core_.page_server;
    core_.cut_off = true;
    next_query_ = core_.now;
    return;
  }
  if (core_.now - lease_from_ < core_.config.lease || mutated("lease_ignored")) return;
  core_.cut_off = true;
  ++core_.counters.cut_offs;
}

void EpochMember::on_timer() noexcept {
  if (!has_page_server() || core_.now < next_query_) return;
  const auto calm = Duration{core_.config.lease.ns / kQueriesInALease};
  const bool waits = core_.cut_off || core_.frozen();
  next_query_ = core_.now + (waits ? core_.config.recovery_retry : calm);
  const bool absent = lease_from_ > answered_from_;
  const bool silent = core_.now - lease_from_ > Duration{calm.ns + calm.ns / 2};
  if ((absent || silent) && !core_.cut_off) {
    core_.act({.kind = ActionKind::kPeerSilent,
               .node = core_.page_server,
               .endpoint = membership_.entry(core_.page_server).endpoint});
  }
  ++queries_;
  asked_at_[queries_ % kQueriesInALease] = core_.now;
  core_.send_body(core_.page_server, MessageType::kEpochQuery,
                  wire::EpochQuery{queries_, core_.wants_image ? 1U : 0U});
}

Instant EpochMember::deadline() const noexcept {
  if (!has_page_server()) return kNever;
  if (core_.cut_off || core_.frozen()) return next_query_;
  return earlier(next_query_, lease_from_ + core_.config.lease);
}

}  // namespace plurix

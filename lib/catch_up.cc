#include <plurix/base/mutation.h>
#include <plurix/dsm/catch_up.h>

namespace plurix {

void PendingRecords::put(const wire::RecordView& record, CommitTime applied) noexcept {
  const auto time = record.header.time;
  if (time <= applied) return;
  if (time - applied > kWindow && !mutated("window_without_limit")) return;
  auto& slot = slots_[time.value % kWindow];
  if (slot.record.header.time == time) return;
  std::memcpy(slot.words, record.words.data(), record.words.size());
  slot.record.header = record.header;
  slot.record.words = std::as_bytes(std::span{slot.words, record.header.words});
}

const wire::RecordView* PendingRecords::find(CommitTime time) const noexcept {
  const auto& slot = slots_[time.value % kWindow];
  return slot.record.header.time == time ? &slot.record : nullptr;
}

void PendingRecords::clear() noexcept {
  for (auto& slot : slots_) slot.record.header.time = CommitTime{};
}

void CatchUp::note_time(NodeId from, CommitTime time) noexcept {
  if (time <= core_.applied) return;
  if (!behind()) {
    next_ask_ = core_.now + core_.config.catch_up_delay;
    tries_ = 0;
  }
  if (time > known_) {
    known_ = time;
    newest_from_ = from;
  }
}

void CatchUp::on_rumour(CommitTime time) noexcept {
  if (time <= core_.applied || behind() || core_.now < next_rumour_) return;
  next_rumour_ = core_.now + core_.config.catch_up_retry;
  ++core_.counters.rumours;
  const auto next = core_.applied + 1;
  core_.send_body(kEveryone, wire::MessageType::kCatchUpRequest, wire::CatchUpRequest{next, next});
}

void CatchUp::put(const wire::RecordView& record) noexcept {
  if (record.header.time <= core_.applied) {
    ++core_.counters.records_duplicate;
    return;
  }
  if (record.header.time != core_.applied + 1) ++core_.counters.records_out_of_order;
  auto kept = record;
  if (mutated("commit_applied_without_its_time")) kept.header.time = core_.applied + 1;
  pending_.put(kept, core_.applied);
}

std::uint16_t CatchUp::next_commit() const noexcept {
  const auto* first = pending_.find(core_.applied + 1);
  if (first == nullptr) return 0;
  if (mutated("part_of_commit_visible")) return 1;
  if (first->header.index != 0) return 0;
  for (std::uint16_t i = 1; i < first->header.count; ++i) {
    const auto* packet = pending_.find(core_.applied + 1 + i);
    if (packet == nullptr || packet->header.index != i ||
        packet->header.writer != first->header.writer) {
      return 0;
    }
  }
  return first->header.count;
}

const wire::RecordView& CatchUp::pending(CommitTime time) const noexcept {
  const auto* record = pending_.find(time);
  PLURIX_ASSERT(record != nullptr);
  return *record;
}

void CatchUp::help(NodeId node, CommitTime from, CommitTime to) noexcept {
  std::byte body[wire::kSmallBody];
  std::size_t used = 0;
  int frames = 0;
  for (auto time = from; log.has(time) && time <= to; time = time + 1) {
    auto bytes = log.copy(time, std::span{body}.subspan(used));
    if (bytes == 0) {
      core_.send(node, wire::MessageType::kCommitRecords, {body, used});
      used = 0;
      if (++frames == kFramesPerAnswer) return;
      bytes = log.copy(time, body);
      PLURIX_ASSERT(bytes != 0);
    }
    used += bytes;
    ++core_.counters.records_resent;
  }
  if (used > 0) core_.send(node, wire::MessageType::kCommitRecords, {body, used});
}

void CatchUp::on_catch_up_request(NodeId from, const wire::CatchUpRequest& request) noexcept {
  if (request.from > core_.applied) return;  // nothing we could know: the asker will ask elsewhere
  if (log.has(request.from)) {
    help(from, request.from, request.to);
  } else {
    core_.send_body(from, wire::MessageType::kLogExhausted, wire::LogExhausted{log.oldest()});
  }
}

bool CatchUp::on_log_exhausted(const wire::LogExhausted& answer) noexcept {
  if (mutated("log_exhausted_ignored")) return false;
  return behind() && tries_ > 0 && answer.oldest > core_.applied + 1;
}

void CatchUp::on_timer() noexcept {
  if (mutated("catch_up_asked_for_once") && tries_ > 0) return;
  if (behind() && !core_.resyncing && core_.now >= next_ask_) ask();
}

void CatchUp::on_progress() noexcept {
  if (!behind() || core_.resyncing || core_.applied < asked_to_) return;
  tries_ = 0;
  ask();
}

void CatchUp::ask() noexcept {
  next_ask_ = core_.now + backoff(core_.config.catch_up_retry, tries_, core_.config.longest_retry);
  ++tries_;
  ++core_.counters.catch_ups;
  const auto limit = core_.applied + kRecordsPerQuestion;
  asked_to_ = known_ < limit ? known_ : limit;
  // The node that showed the time may have gone; every second question goes to whoever answers.
  const auto to = tries_ % 2 == 1 && newest_from_ != kNoNode ? newest_from_ : kEveryone;
  core_.send_body(to, wire::MessageType::kCatchUpRequest,
                  wire::CatchUpRequest{core_.applied + 1, asked_to_});
}

void CatchUp::enter_epoch(CommitTime start, NodeId source) noexcept {
  pending_.clear();
  known_ = start > core_.applied ? start : core_.applied;
  newest_from_ = source;
  tries_ = 0;
  next_ask_ = core_.now;
}

void CatchUp::restart_at(CommitTime applied) noexcept {
  log.restart_at(applied);
  pending_.clear();
  if (known_ < applied) known_ = applied;
  tries_ = 0;
  next_ask_ = core_.now;
}

}  // namespace plurix

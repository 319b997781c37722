#include <plurix/base/mutation.h>
#include <plurix/dsm/commits.h>

#include <algorithm>

namespace plurix {

CommitTime Commits::commit_attempt() noexcept {
  PLURIX_ASSERT(attempt_.active() && !attempt_.doomed());
  // In page order, so that neighbouring pages are protected by one call.
  const auto pages = attempt_.sorted_write_set();
  PLURIX_ASSERT(!pages.empty());
  const std::size_t per_packet = core_.config.words_per_packet;
  const auto count = (pages.size() + per_packet - 1) / per_packet;
  PLURIX_ASSERT(count <= wire::kMaxPackets);
  const auto last = core_.applied + count + (mutated("commit_times_not_dense") ? 1 : 0);
  wire::RecordHeader header;
  header.writer = core_.self;
  header.count = static_cast<std::uint16_t>(count);
  header.time = core_.applied;
  core_.applied = last;
  for (std::size_t first = 0; first < pages.size(); first += per_packet) {
    const auto part = pages.subspan(first, std::min(per_packet, pages.size() - first));
    header.time = header.time + 1;
    header.words = static_cast<std::uint32_t>(part.size());
    publish(header, part);
    ++header.index;
  }
  for (const auto page : pages) {
    imaging_.before_commit(page);
    directory_.set_state(page, PageState::kOwned);
    directory_.set_owner_hint(page, core_.self);
    directory_.set_written(page, last);
    if (directory_.rights(page) == Rights::kWrite) directory_.protect(page, Rights::kRead);
    raise_high_water(page);
  }
  ++core_.counters.commits;
  attempt_.end();
  return last;
}

void Commits::publish(const wire::RecordHeader& header,
                      std::span<const std::uint32_t> words) noexcept {
  const auto bytes = std::as_bytes(words);
  catch_up_.log.append(header, bytes);
  ++core_.counters.commit_packets;
  if (core_.peers == 0) return;
  std::byte body[wire::kSmallBody];
  std::memcpy(body, &header, sizeof header);
  std::memcpy(body + sizeof header, bytes.data(), bytes.size());
  core_.send(kEveryone, wire::MessageType::kCommitNotice, {body, sizeof header + bytes.size()});
}

void Commits::commit_record(wire::RecordKind kind, std::span<const std::uint32_t> words) noexcept {
  PLURIX_ASSERT(!words.empty() && words.size() <= wire::kMaxWords);
  wire::RecordHeader header;
  header.writer = core_.self;
  header.kind = kind;
  header.words = static_cast<std::uint32_t>(words.size());
  header.time = core_.applied + 1;
  core_.applied = header.time;
  publish(header, words);
  apply({header, std::as_bytes(words)}, header.time);
}

void Commits::apply(const wire::RecordView& record, CommitTime last) noexcept {
  using wire::RecordKind;
  if (record.header.kind == RecordKind::kAssign) {
    const auto owner = static_cast<NodeId>(record.word(0));
    for (std::size_t i = 1; i < record.header.words; ++i) assign(record.word(i), owner, last);
  }
  if (record.header.kind == RecordKind::kImage) {
    const auto since = record.word(0) | std::uint64_t{record.word(1)} << 32;
    imaging_.on_record(last, {since}, record.header.writer);
  }
  if (record.header.kind != RecordKind::kWrite && record.header.kind != RecordKind::kAdopt) return;
  for (std::size_t i = 0; i < record.header.words; ++i) {
    const auto page = record.word(i);
    if (mutated("invalidation_skipped") && i > 0 && i + 1 == record.header.words) continue;
    if (record.header.kind == RecordKind::kWrite) {
      invalidate(page, record.header.writer, last);
    } else {
      adopt(page, record.header.writer, last);
    }
    raise_high_water(page);
  }
}

void Commits::invalidate(PageIndex page, NodeId owner, CommitTime time) noexcept {
  attempt_.collide(page, time, owner);
  imaging_.on_written(page, owner);
  if (directory_.state(page) != PageState::kAbsent) {
    directory_.set_state(page, PageState::kAbsent);
    // What a doomed attempt has seen it may see again until it ends: one snapshot (DESIGN T2).
    const bool seen = attempt_.active() && attempt_.has_read(page);
    if (!seen || mutated("snapshot_taken_away")) directory_.protect(page, Rights::kNone);
  }
  directory_.set_owner_hint(page, owner);
  directory_.set_written(page, time);
}

void Commits::assign(PageIndex page, NodeId owner, CommitTime time) noexcept {
  const bool chosen = owner == core_.self || mutated("two_heirs");
  const bool ours = chosen && directory_.state(page) != PageState::kAbsent;
  if (ours) directory_.set_state(page, PageState::kOwned);
  directory_.set_owner_hint(page, owner);
  directory_.set_written(page, time);
}

void Commits::adopt(PageIndex page, NodeId owner, CommitTime time) noexcept {
  if (owner == core_.self) {
    PLURIX_ASSERT(directory_.state(page) != PageState::kAbsent);
    imaging_.before_commit(page);
    directory_.set_state(page, PageState::kOwned);
  } else if (directory_.state(page) == PageState::kOwned) {
    if (!mutated("two_owners_after_adoption")) directory_.set_state(page, PageState::kCopy);
  }
  if (owner != core_.self) imaging_.on_written(page, owner);
  directory_.set_owner_hint(page, owner);
  directory_.set_written(page, time);
}

}  // namespace plurix

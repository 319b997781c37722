#include <plurix/wire/messages.h>

namespace plurix::wire {
namespace {

bool words_fit_kind(const RecordHeader& h) noexcept {
  switch (h.kind) {
    case RecordKind::kWrite:
    case RecordKind::kAdopt:
      return h.words >= 1 && h.words <= kMaxWords;
    case RecordKind::kAssign:
      return h.words >= 2 && h.words <= kMaxWords && h.count == 1;
    case RecordKind::kJoin:
    case RecordKind::kLeave:
      return h.words == kMemberWords && h.count == 1;
    case RecordKind::kImage:
      return h.words == 2 && h.count == 1;
  }
  return false;
}

bool header_is_sane(const RecordHeader& h) noexcept {
  return h.time.value != 0 && h.writer < kMaxNodes && h.count >= 1 && h.count <= kMaxPackets &&
         h.index < h.count && h.index < h.time.value && words_fit_kind(h);
}

bool is_sane(const MemberEntry& entry) noexcept {
  return entry.node < kMaxNodes && entry.roles <= kPageServerRole;
}

bool members_are_sane(Bytes members, std::uint32_t count) noexcept {
  if (count > kMaxNodes || members.size() != count * sizeof(MemberEntry)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_sane(element<MemberEntry>(members, i))) return false;
  }
  return true;
}

bool words_are_sane(const RecordView& record, std::uint32_t pages) noexcept {
  const auto kind = record.header.kind;
  if (kind == RecordKind::kJoin || kind == RecordKind::kLeave) return is_sane(record.member());
  if (kind == RecordKind::kImage) return true;
  const std::size_t first = kind == RecordKind::kAssign ? 1 : 0;
  if (first == 1 && record.word(0) >= kMaxNodes) return false;
  for (std::size_t i = first; i < record.header.words; ++i) {
    if (record.word(i) >= pages) return false;
  }
  return true;
}

}  // namespace

bool read_record(Bytes& body, std::uint32_t pages, RecordView& out) noexcept {
  Bytes rest;
  if (!read_front(body, out.header, rest) || !header_is_sane(out.header)) return false;
  const std::size_t bytes = std::size_t{out.header.words} * 4;
  if (rest.size() < bytes) return false;
  out.words = rest.first(bytes);
  body = rest.subspan(bytes);
  return words_are_sane(out, pages);
}

bool read_page_reply(Bytes body, PageReply& out, Bytes& contents) noexcept {
  if (!read_front(body, out, contents)) return false;
  return out.zero == 1 ? contents.empty() : out.zero == 0 && contents.size() == kPageSize;
}

bool read_token_grant(Bytes body, TokenGrant& out, Bytes& waiting) noexcept {
  if (!read_front(body, out, waiting) || out.waiting > kMaxWaitingInGrant) return false;
  if (waiting.size() != out.waiting * sizeof(TokenRequest)) return false;
  for (std::size_t i = 0; i < out.waiting; ++i) {
    if (element<TokenRequest>(waiting, i).node >= kMaxNodes) return false;
  }
  return true;
}

bool read_join_grant(Bytes body, JoinGrant& out, Bytes& members) noexcept {
  return read_front(body, out, members) && out.node < kMaxNodes &&
         members_are_sane(members, out.members);
}

bool read_sync_reply(Bytes body, SyncReply& out, Bytes& entries) noexcept {
  if (!read_front(body, out, entries)) return false;
  if (out.cursor == kMembersCursor) return members_are_sane(entries, out.entries);
  return out.entries <= kMaxSyncEntries && out.next > out.cursor &&
         entries.size() == out.entries * sizeof(SyncEntry);
}

bool read_adopt_request(Bytes body, AdoptRequest& out, Bytes& page_list) noexcept {
  return read_front(body, out, page_list) && out.count >= 1 && out.count <= kMaxWords &&
         page_list.size() == std::size_t{out.count} * 4;
}

bool read_epoch_report(Bytes body, EpochReport& out, Bytes& members) noexcept {
  return read_front(body, out, members) && members_are_sane(members, out.members);
}

bool read_epoch_begin(Bytes body, EpochBegin& out, Bytes& members) noexcept {
  return read_front(body, out, members) && out.source < kMaxNodes && out.rollback <= 1 &&
         members_are_sane(members, out.members);
}

bool read_image_request(Bytes body, ImageRequest& out, Bytes& page_list) noexcept {
  return read_front(body, out, page_list) && out.count >= 1 && out.count <= kMaxImagePages &&
         page_list.size() == std::size_t{out.count} * 4;
}

bool read_image_page(Bytes body, ImagePage& out, Bytes& contents) noexcept {
  if (!read_front(body, out, contents)) return false;
  return out.found == 0 ? contents.empty() : out.found == 1 && contents.size() == kPageSize;
}

bool read_orphan_call(Bytes body, OrphanCall& out, Bytes& page_list) noexcept {
  return read_front(body, out, page_list) && out.count >= 1 && out.count <= kMaxWords &&
         page_list.size() == std::size_t{out.count} * 4;
}

}  // namespace plurix::wire

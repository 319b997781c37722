#include "support/frame_text.h"

#include <iterator>

namespace plurix::testing {
namespace {

using wire::MessageType;

constexpr const char* kNames[] = {
    "PageRequest",  "PageReply",      "PageRedirect",  "TokenRequest", "TokenGrant",  "TokenAck",
    "CommitNotice", "CatchUpRequest", "CommitRecords", "LogExhausted", "SyncRequest", "SyncReply",
    "JoinRequest",  "JoinChallenge",  "JoinGrant",     "JoinRefused",  "JoinWait",    "TimeBeacon",
    "TimeQuery",    "TimeReply",      "AdoptRequest",  "LeaveRequest", "EpochOpen",   "EpochReport",
    "EpochBegin",   "EpochQuery",     "DeathNotice",   "OrphanCall",   "OrphanClaim", "EpochLease",
    "ImageRequest", "ImagePage",      "ImageNotice"};
static_assert(std::size(kNames) == wire::kLastType);

template <class Number>
std::string text(Number number) {
  return std::to_string(number);
}
std::string text(CommitTime time) { return std::to_string(time.value); }

std::string node_text(NodeId node) {
  if (node == kNoNode) return "nobody";
  return node == kEveryone ? "*" : text(node);
}

std::string page_text(PageIndex page) { return page == kNoPage ? "none" : text(page); }

/// Ascending page numbers, runs written "3-7".
std::string pages_text(Bytes words) {
  std::string out;
  const auto count = words.size() / 4;
  for (std::size_t i = 0; i < count;) {
    auto last = i;
    const auto at = [&](std::size_t k) { return wire::element<PageIndex>(words, k); };
    while (last + 1 < count && at(last + 1) == at(last) + 1) ++last;
    out += (out.empty() ? "" : " ") + text(at(i));
    if (last > i) out += "-" + text(at(last));
    i = last + 1;
  }
  return out;
}

std::string record_text(const wire::RecordView& record) {
  const auto& h = record.header;
  auto out = "time " + text(h.time) + " by " + node_text(h.writer);
  if (h.count > 1) out += " (" + text(h.index + 1) + " of " + text(h.count) + ")";
  switch (h.kind) {
    case wire::RecordKind::kWrite:
      return out + ": write " + pages_text(record.words);
    case wire::RecordKind::kAdopt:
      return out + ": adopt " + pages_text(record.words);
    case wire::RecordKind::kJoin:
      return out + ": join node " + text(record.member().node);
    case wire::RecordKind::kLeave:
      return out + ": leave node " + text(record.member().node);
    case wire::RecordKind::kAssign:
      return out + ": assign to node " + text(record.word(0)) + " " +
             pages_text(record.words.subspan(4));
    case wire::RecordKind::kImage:
      return out + ": image on top of " + text(record.word(0));
  }
  return out;
}

std::string records_text(Bytes body) {
  std::string out;
  while (!body.empty()) {
    wire::RecordView record;
    if (!wire::read_record(body, kNoPage, record)) return out + " malformed";
    out += (out.empty() ? "" : "; ") + record_text(record);
  }
  return out;
}

std::string request_text(const TokenRequest& request) {
  auto out = "node " + node_text(request.node) + ", number " + text(request.number) + ", time " +
             text(request.time) + ", collisions " + text(request.collisions);
  if (request.hops > 0) out += ", hops " + text(request.hops);
  return out;
}

std::string members_text(Bytes entries) {
  std::string out;
  for (std::size_t i = 0; i < entries.size() / sizeof(wire::MemberEntry); ++i) {
    out += " " + node_text(wire::element<wire::MemberEntry>(entries, i).node);
  }
  return out;
}

// Each family gives the fields of a body, or "malformed".

constexpr const char* kMalformed = "malformed";

std::string paging_text(MessageType type, Bytes body) {
  wire::PageRequest request;
  wire::PageRedirect redirect;
  wire::PageReply reply;
  Bytes contents;
  if (type == MessageType::kPageRequest && wire::read_body(body, request)) {
    return "page " + page_text(request.page) + ", request " + text(request.request);
  }
  if (type == MessageType::kPageRedirect && wire::read_body(body, redirect)) {
    return "page " + page_text(redirect.page) + ", request " + text(redirect.request) + ", ask " +
           node_text(redirect.owner);
  }
  if (type == MessageType::kPageReply && wire::read_page_reply(body, reply, contents)) {
    return "page " + page_text(reply.page) + ", request " + text(reply.request) +
           (reply.zero == 1 ? ", zero" : ", contents");
  }
  return kMalformed;
}

std::string token_text(MessageType type, Bytes body) {
  TokenRequest request;
  wire::TokenGrant grant;
  wire::TokenAck ack;
  Bytes waiting;
  if (type == MessageType::kTokenRequest && wire::read_body(body, request)) {
    return request_text(request);
  }
  if (type == MessageType::kTokenAck && wire::read_body(body, ack)) {
    return "number " + text(ack.number);
  }
  if (type != MessageType::kTokenGrant || !wire::read_token_grant(body, grant, waiting)) {
    return kMalformed;
  }
  auto out = "number " + text(grant.number);
  for (std::size_t i = 0; i < grant.waiting; ++i) {
    out += "; waiting: " + request_text(wire::element<TokenRequest>(waiting, i));
  }
  return out;
}

std::string catch_up_text(MessageType type, Bytes body) {
  wire::CatchUpRequest request;
  wire::LogExhausted exhausted;
  if (type == MessageType::kCatchUpRequest && wire::read_body(body, request)) {
    return "times " + text(request.from) + "-" + text(request.to);
  }
  if (type == MessageType::kLogExhausted && wire::read_body(body, exhausted)) {
    return "oldest " + text(exhausted.oldest);
  }
  return kMalformed;
}

std::string cursor_text(PageIndex cursor) {
  return cursor == wire::kMembersCursor ? "members" : "page " + text(cursor);
}

std::string sync_text(MessageType type, Bytes body) {
  wire::SyncRequest request;
  wire::SyncReply reply;
  Bytes entries;
  if (type == MessageType::kSyncRequest && wire::read_body(body, request)) {
    return "number " + text(request.number) + ", since " + text(request.since) + ", from " +
           cursor_text(request.cursor);
  }
  if (type != MessageType::kSyncReply || !wire::read_sync_reply(body, reply, entries)) {
    return kMalformed;
  }
  auto out = "number " + text(reply.number) + ", since " + text(reply.since) + ", from " +
             cursor_text(reply.cursor) + ", next " + cursor_text(reply.next) + ", holder " +
             node_text(reply.holder) + ":";
  if (reply.cursor == wire::kMembersCursor) return out + members_text(entries);
  for (std::size_t i = 0; i < reply.entries; ++i) {
    const auto entry = wire::element<wire::SyncEntry>(entries, i);
    out += " " + page_text(entry.page) + "@" + node_text(entry.owner);
  }
  return out;
}

std::string join_text(MessageType type, Bytes body) {
  wire::JoinRequest request;
  wire::JoinChallenge challenge;
  wire::JoinGrant grant;
  wire::JoinRefused refused;
  wire::JoinWait wait;
  Bytes members;
  if (type == MessageType::kJoinRequest && wire::read_body(body, request)) {
    return "incarnation " + text(request.incarnation) + ", " + text(request.pages) + " pages" +
           (request.cookie == 0 ? "" : ", with a cookie");
  }
  if (type == MessageType::kJoinChallenge && wire::read_body(body, challenge)) {
    return "incarnation " + text(challenge.incarnation);
  }
  if (type == MessageType::kJoinGrant && wire::read_join_grant(body, grant, members)) {
    return "incarnation " + text(grant.incarnation) + " is node " + node_text(grant.node) +
           ", holder " + node_text(grant.holder) + ", high water " + page_text(grant.high_water) +
           ", members" + members_text(members);
  }
  if (type == MessageType::kJoinRefused && wire::read_body(body, refused)) {
    return refused.reason == wire::RefusalReason::kFull ? "the cluster is full"
                                                        : "another geometry";
  }
  if (type == MessageType::kJoinWait && wire::read_body(body, wait)) {
    return "incarnation " + text(wait.incarnation);
  }
  return kMalformed;
}

std::string leave_text(MessageType type, Bytes body) {
  if (type == MessageType::kLeaveRequest) return body.empty() ? "" : kMalformed;
  wire::AdoptRequest request;
  Bytes page_list;
  if (!wire::read_adopt_request(body, request, page_list)) return kMalformed;
  return "pages " + pages_text(page_list);
}

std::string epoch_text(MessageType type, Bytes body) {
  wire::EpochOpen open;
  wire::EpochReport report;
  wire::EpochBegin begin;
  wire::EpochQuery query;
  Bytes members;
  if (type == MessageType::kEpochOpen && wire::read_body(body, open)) {
    return "epoch " + text(open.epoch);
  }
  if (type == MessageType::kEpochReport && wire::read_epoch_report(body, report, members)) {
    return "epoch " + text(report.epoch) + ", from " + text(report.entered) + ", applied " +
           text(report.applied) + ", members" + members_text(members);
  }
  if (type == MessageType::kEpochBegin && wire::read_epoch_begin(body, begin, members)) {
    return "epoch " + text(begin.epoch) + ", start " + text(begin.start) + " at " +
           node_text(begin.source) + (begin.rollback == 1 ? ", a rollback" : "") + ", members" +
           members_text(members);
  }
  if (type == MessageType::kEpochQuery && wire::read_body(body, query)) {
    return "number " + text(query.number);
  }
  wire::EpochLease lease;
  if (type == MessageType::kEpochLease && wire::read_body(body, lease)) {
    return "number " + text(lease.number);
  }
  return kMalformed;
}

std::string image_text(MessageType type, Bytes body) {
  wire::ImageRequest request;
  wire::ImagePage page;
  wire::ImageNotice notice;
  Bytes rest;
  if (type == MessageType::kImageRequest && wire::read_image_request(body, request, rest)) {
    return "at " + text(request.time) + " " + pages_text(rest);
  }
  if (type == MessageType::kImagePage && wire::read_image_page(body, page, rest)) {
    return "at " + text(page.time) + " page " + text(page.page) + (page.found == 0 ? ", gone" : "");
  }
  if (type == MessageType::kImageNotice && wire::read_body(body, notice)) {
    return "durable up to " + text(notice.durable);
  }
  return kMalformed;
}

std::string death_text(MessageType type, Bytes body) {
  wire::DeathNotice notice;
  wire::OrphanCall call;
  wire::OrphanClaim claim;
  Bytes page_list;
  if (type == MessageType::kDeathNotice && wire::read_body(body, notice)) {
    return "node " + node_text(notice.node);
  }
  if (type == MessageType::kOrphanCall && wire::read_orphan_call(body, call, page_list)) {
    return "number " + text(call.number) + ", pages " + pages_text(page_list);
  }
  if (type != MessageType::kOrphanClaim || !wire::read_body(body, claim)) return kMalformed;
  auto out = "number " + text(claim.number) + ", has";
  for (std::size_t i = 0; i < wire::kMaxWords; ++i) {
    if (claim.has(i)) out += " #" + text(i);
  }
  return out;
}

std::string fields_text(MessageType type, Bytes body) {
  switch (type) {
    case MessageType::kPageRequest:
    case MessageType::kPageReply:
    case MessageType::kPageRedirect:
      return paging_text(type, body);
    case MessageType::kTokenRequest:
    case MessageType::kTokenGrant:
    case MessageType::kTokenAck:
      return token_text(type, body);
    case MessageType::kCommitNotice:
    case MessageType::kCommitRecords:
      return records_text(body);
    case MessageType::kCatchUpRequest:
    case MessageType::kLogExhausted:
      return catch_up_text(type, body);
    case MessageType::kSyncRequest:
    case MessageType::kSyncReply:
      return sync_text(type, body);
    case MessageType::kJoinRequest:
    case MessageType::kJoinChallenge:
    case MessageType::kJoinGrant:
    case MessageType::kJoinRefused:
    case MessageType::kJoinWait:
      return join_text(type, body);
    case MessageType::kTimeBeacon:
      return body.empty() ? "" : kMalformed;
    case MessageType::kTimeQuery:
    case MessageType::kTimeReply: {
      wire::TimeQuery query;
      return wire::read_body(body, query) ? "number " + text(query.number) : kMalformed;
    }
    case MessageType::kAdoptRequest:
    case MessageType::kLeaveRequest:
      return leave_text(type, body);
    case MessageType::kEpochOpen:
    case MessageType::kEpochReport:
    case MessageType::kEpochBegin:
    case MessageType::kEpochQuery:
    case MessageType::kEpochLease:
      return epoch_text(type, body);
    case MessageType::kDeathNotice:
    case MessageType::kOrphanCall:
    case MessageType::kOrphanClaim:
      return death_text(type, body);
    case MessageType::kImageRequest:
    case MessageType::kImagePage:
    case MessageType::kImageNotice:
      return image_text(type, body);
  }
  return kMalformed;
}

}  // namespace

const char* type_text(MessageType type) {
  return kNames[static_cast<std::size_t>(type) - wire::kFirstType];
}

bool parse_type(const std::string& name, MessageType& type) {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (name != kNames[i]) continue;
    type = static_cast<MessageType>(i + wire::kFirstType);
    return true;
  }
  return false;
}

std::string body_text(const wire::FrameView& frame) {
  const auto fields = fields_text(frame.header.type, frame.body);
  return std::string(type_text(frame.header.type)) + (fields.empty() ? "" : " ") + fields;
}

std::string frame_text(Bytes frame) {
  wire::FrameView view;
  if (const auto reason = wire::check_frame(frame, view); reason != wire::DropReason::kNone) {
    return "a frame that is dropped for reason " + text(static_cast<int>(reason));
  }
  const auto& header = view.header;
  const auto sender = header.sender == kNoNode ? "newcomer" : node_text(header.sender);
  const auto receiver = header.receiver == kNoNode ? "newcomer" : node_text(header.receiver);
  return sender + " -> " + receiver + " t=" + text(header.commit_time) + ": " + body_text(view);
}

}  // namespace plurix::testing

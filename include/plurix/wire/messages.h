// One plain struct for each message, and the checked reading of its body. A body is looked at only
// through `read_*`, which returns false for any length or value the format does not allow.
#pragma once

#include <plurix/base/page.h>
#include <plurix/concepts/commit_strategy.h>
#include <plurix/wire/frame.h>

#include <cstring>
#include <type_traits>

namespace plurix::wire {

/// "Send me this page." To its presumed owner, else to everyone.
struct PageRequest {
  PageIndex page = kNoPage;
  std::uint32_t request = 0;  ///< chosen by the requester; the reply repeats it
};
static_assert(sizeof(PageRequest) == 8);

/// The page as of the header's commit time; the contents follow unless the page is all zero.
struct PageReply {
  PageIndex page = kNoPage;
  std::uint32_t request = 0;
  std::uint32_t zero = 0;  ///< 1: the page is all zero and no contents follow
  std::uint32_t reserved = 0;
};
static_assert(sizeof(PageReply) == 16);

/// "Not mine; ask `owner`" (kNoNode when the sender does not know either).
struct PageRedirect {
  PageIndex page = kNoPage;
  std::uint32_t request = 0;
  NodeId owner = kNoNode;
  std::uint16_t reserved = 0;
};
static_assert(sizeof(PageRedirect) == 12);

/// Head of a grant; `waiting` entries of TokenRequest follow: the queue travels with the token.
struct TokenGrant {
  std::uint32_t number = 0;  ///< grows with each grant in an epoch; a smaller one is a duplicate
  std::uint32_t waiting = 0;
};
static_assert(sizeof(TokenGrant) == 8);
inline constexpr std::size_t kMaxWaitingInGrant =
    (kSmallBody - sizeof(TokenGrant)) / sizeof(TokenRequest);

struct TokenAck {
  std::uint32_t number = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(TokenAck) == 8);

enum class RecordKind : std::uint8_t {
  kWrite = 1,  ///< words: pages written; copies elsewhere are void
  kAdopt,      ///< words: pages whose owner changed and whose contents did not
  kJoin,       ///< words: one MemberEntry
  kLeave,      ///< words: one MemberEntry
  kAssign,     ///< words: a node, then pages whose owner died: that node's copies are the page now
  kImage,      ///< words: the time of the image before, low half first. An image of this record's
               ///< own time is taken from here on: who overwrites a page keeps what it was
};
inline constexpr std::uint8_t kLastRecordKind = static_cast<std::uint8_t>(RecordKind::kImage);

/// One packet of a commit. A commit of several packets takes one commit time a packet (paper
/// section 5.2) and becomes visible only as a whole. `words` 32-bit words follow.
struct RecordHeader {
  CommitTime time;
  NodeId writer = kNoNode;
  std::uint16_t index = 0;  ///< of this packet in its commit
  std::uint16_t count = 1;  ///< packets of the commit
  RecordKind kind = RecordKind::kWrite;
  std::uint8_t reserved = 0;
  std::uint32_t words = 0;
  std::uint32_t reserved2 = 0;
};
static_assert(sizeof(RecordHeader) == 24);
inline constexpr std::size_t kMaxWords = 340;
inline constexpr std::size_t kMaxPackets = 32;
static_assert(sizeof(RecordHeader) + kMaxWords * 4 <= kSmallBody);

struct CatchUpRequest {
  CommitTime from;  ///< first record wanted
  CommitTime to;    ///< last record known to exist
};
static_assert(sizeof(CatchUpRequest) == 16);

struct LogExhausted {
  CommitTime oldest;  ///< oldest record the sender still has
};
static_assert(sizeof(LogExhausted) == 8);

/// "Which pages were written since `since`?" Asked when the records themselves are gone.
struct SyncRequest {
  CommitTime since;
  PageIndex cursor = 0;  ///< first page of interest; kMembersCursor asks for the member table
  std::uint32_t number = 0;
};
static_assert(sizeof(SyncRequest) == 16);
inline constexpr PageIndex kMembersCursor = 0xffffffff;

struct SyncEntry {
  PageIndex page = kNoPage;
  NodeId owner = kNoNode;
  std::uint16_t reserved = 0;
};
static_assert(sizeof(SyncEntry) == 8);

/// Followed by `entries` SyncEntry, or by MemberEntry when cursor is kMembersCursor.
struct SyncReply {
  CommitTime since;
  PageIndex cursor = 0;
  PageIndex next = 0;  ///< where to go on; kMembersCursor behind the last page
  std::uint32_t number = 0;
  std::uint32_t entries = 0;
  PageIndex high_water = 0;
  NodeId holder = kNoNode;
  std::uint16_t reserved = 0;
};
static_assert(sizeof(SyncReply) == 32);
inline constexpr std::size_t kMaxSyncEntries = (kSmallBody - sizeof(SyncReply)) / sizeof(SyncEntry);

/// What a member is to the cluster, beside being a node.
inline constexpr std::uint16_t kPageServerRole = 1;

struct MemberEntry {
  NodeId node = kNoNode;
  std::uint16_t roles = 0;  ///< kPageServerRole or 0
  std::uint32_t incarnation = 0;
  Endpoint endpoint;
};
static_assert(sizeof(MemberEntry) == 24);
inline constexpr std::size_t kMemberWords = sizeof(MemberEntry) / 4;

/// "Let me in." Sent without a cookie first; the member asked answers with one, which only a sender
/// that can be reached at its address will repeat.
struct JoinRequest {
  std::uint64_t base = 0;
  std::uint32_t pages = 0;
  std::uint32_t format = 0;
  std::uint32_t page_size = 0;
  std::uint32_t incarnation = 0;  ///< drawn at start; tells two lives of one address apart
  std::uint64_t cookie = 0;
  std::uint16_t roles = 0;  ///< as in MemberEntry
  std::uint16_t reserved = 0;
  std::uint32_t reserved2 = 0;
};
static_assert(sizeof(JoinRequest) == 40);

/// "Prove that this is your address": the next JoinRequest must carry the cookie.
struct JoinChallenge {
  std::uint32_t incarnation = 0;
  std::uint32_t reserved = 0;
  std::uint64_t cookie = 0;
};
static_assert(sizeof(JoinChallenge) == 16);

/// Followed by `members` MemberEntry. The header's commit time is where the newcomer starts.
struct JoinGrant {
  std::uint32_t incarnation = 0;  ///< repeats the request's
  NodeId node = kNoNode;
  NodeId holder = kNoNode;
  PageIndex high_water = 0;
  std::uint32_t members = 0;
};
static_assert(sizeof(JoinGrant) == 16);

enum class RefusalReason : std::uint32_t {
  kGeometry = 1,  ///< the cluster's heap is another one
  kFull,          ///< kMaxNodes members
  kDeparted,      ///< that life is over, by a commit or an epoch its node did not hear of
  kPageServer,    ///< to a PageServer: the cluster has one
};

struct JoinRefused {
  std::uint32_t incarnation = 0;
  RefusalReason reason = RefusalReason::kGeometry;
  std::uint64_t base = 0;
  std::uint32_t pages = 0;
  std::uint32_t format = 0;
};
static_assert(sizeof(JoinRefused) == 24);

/// From one that cannot let anybody in now: it is joining itself, or a member that waits.
struct JoinWait {
  std::uint32_t incarnation = 0;
  std::uint32_t cluster_exists = 0;  ///< 1: whoever waits shall not found another one
};
static_assert(sizeof(JoinWait) == 8);

/// Asks the token holder for its commit time; the answer's header carries it.
struct TimeQuery {
  std::uint32_t number = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(TimeQuery) == 8);
using TimeReply = TimeQuery;

/// From a node that wants to leave: "own these for me". `count` page numbers follow.
struct AdoptRequest {
  std::uint32_t count = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(AdoptRequest) == 8);

/// From the PageServer, to every member and to those it takes for dead: "stop; what have you?"
struct EpochOpen {
  Epoch epoch = 0;  ///< the one that is going to begin
  std::uint32_t reserved = 0;
};
static_assert(sizeof(EpochOpen) == 8);

/// The answer; `members` MemberEntry follow, all whom the sender knows. What it has applied stays
/// as it is until the epoch begins.
struct EpochReport {
  Epoch epoch = 0;
  Epoch entered = 0;  ///< the newest one the sender was in
  CommitTime applied;
  std::uint32_t members = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(EpochReport) == 24);

/// From the PageServer: epoch `epoch` is at work; its members follow. Who is not among them has
/// been given up and starts anew as a newcomer.
struct EpochBegin {
  Epoch epoch = 0;
  std::uint32_t reserved = 0;
  CommitTime start;            ///< commits of older epochs after it are undone
  NodeId source = kNoNode;     ///< who had applied everything up to `start`
  std::uint16_t rollback = 0;  ///< 1: `start` is an image's time and every page is the PageServer's
  PageIndex high_water = 0;    ///< of the image, if there is a rollback
  std::uint32_t members = 0;
  std::uint32_t reserved2 = 0;
};
static_assert(sizeof(EpochBegin) == 32);

/// To the PageServer, a few times in each lease: "which epoch is it, and am I in it?"
struct EpochQuery {
  std::uint32_t number = 0;
  std::uint32_t wants_image = 0;  ///< 1: somebody here waits until what it committed is durable
};
static_assert(sizeof(EpochQuery) == 8);

/// The answer to a member of the PageServer's epoch: "it is this one, and you are in it." The
/// member may serve and commit for a lease from when it asked.
struct EpochLease {
  std::uint32_t number = 0;
  std::uint32_t reserved = 0;
  CommitTime durable;  ///< commits up to here are in an image
};
static_assert(sizeof(EpochLease) == 16);

/// To the PageServer: a new life of the member's address asks to join, so the old one is over.
struct DeathNotice {
  NodeId node = kNoNode;
  std::uint16_t reserved = 0;
  std::uint32_t incarnation = 0;
};
static_assert(sizeof(DeathNotice) == 8);

/// From the PageServer: "who has a copy of these pages, whose owner is dead?" `count` page numbers
/// follow. Answered by nodes that have applied what the header's commit time says.
struct OrphanCall {
  std::uint32_t number = 0;
  std::uint32_t count = 0;
};
static_assert(sizeof(OrphanCall) == 8);

/// The answer: bit i is set if the sender has the i-th page of the call.
struct OrphanClaim {
  std::uint32_t number = 0;
  std::uint32_t held[(kMaxWords + 31) / 32] = {};

  bool has(std::size_t i) const noexcept { return ((held[i / 32] >> (i % 32)) & 1) != 0; }
  void set(std::size_t i) noexcept { held[i / 32] |= 1u << (i % 32); }
};
static_assert(sizeof(OrphanClaim) == 48);

/// From the PageServer: "these pages as they were at `time`." `count` page numbers follow.
struct ImageRequest {
  CommitTime time;
  std::uint32_t count = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(ImageRequest) == 16);

/// Pages in one ImageRequest: each is answered with a datagram of its own, and so many of these are
/// what UDP takes at once.
inline constexpr std::size_t kMaxImagePages = 15;

/// The answer, one a page; with `found` the contents follow.
struct ImagePage {
  CommitTime time;  ///< of the request
  PageIndex page = 0;
  std::uint32_t found = 0;  ///< 1: these are the contents; 0: they are kept nowhere any more
};
static_assert(sizeof(ImagePage) == 16);

/// From the PageServer, to everyone: "commits up to here are in an image."
struct ImageNotice {
  CommitTime durable;
};
static_assert(sizeof(ImageNotice) == 8);

/// Reads a body that is exactly one T.
template <class T>
[[nodiscard]] bool read_body(Bytes body, T& out) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  if (body.size() != sizeof(T)) return false;
  std::memcpy(&out, body.data(), sizeof(T));
  return true;
}

/// Reads a T from the front and leaves what follows in `rest`.
template <class T>
[[nodiscard]] bool read_front(Bytes body, T& out, Bytes& rest) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  if (body.size() < sizeof(T)) return false;
  std::memcpy(&out, body.data(), sizeof(T));
  rest = body.subspan(sizeof(T));
  return true;
}

/// The `i`-th T of an array that stands in a body, unaligned. The caller has checked the length.
template <class T>
T element(Bytes array, std::size_t i) noexcept {
  T out;
  std::memcpy(&out, array.data() + i * sizeof(T), sizeof(T));
  return out;
}

/// One commit record in a receive buffer: header checked, words as bytes.
struct RecordView {
  RecordHeader header;
  Bytes words;

  std::uint32_t word(std::size_t i) const noexcept { return element<std::uint32_t>(words, i); }
  MemberEntry member() const noexcept { return element<MemberEntry>(words, 0); }
};

/// Reads one record from the front of `body`, checks it against a heap of `pages` pages, and moves
/// `body` behind it.
[[nodiscard]] bool read_record(Bytes& body, std::uint32_t pages, RecordView& out) noexcept;

[[nodiscard]] bool read_page_reply(Bytes body, PageReply& out, Bytes& contents) noexcept;
[[nodiscard]] bool read_token_grant(Bytes body, TokenGrant& out, Bytes& waiting) noexcept;
[[nodiscard]] bool read_join_grant(Bytes body, JoinGrant& out, Bytes& members) noexcept;
[[nodiscard]] bool read_sync_reply(Bytes body, SyncReply& out, Bytes& entries) noexcept;
[[nodiscard]] bool read_adopt_request(Bytes body, AdoptRequest& out, Bytes& page_list) noexcept;
[[nodiscard]] bool read_epoch_report(Bytes body, EpochReport& out, Bytes& members) noexcept;
[[nodiscard]] bool read_epoch_begin(Bytes body, EpochBegin& out, Bytes& members) noexcept;
[[nodiscard]] bool read_image_request(Bytes body, ImageRequest& out, Bytes& page_list) noexcept;
[[nodiscard]] bool read_image_page(Bytes body, ImagePage& out, Bytes& contents) noexcept;
[[nodiscard]] bool read_orphan_call(Bytes body, OrphanCall& out, Bytes& page_list) noexcept;

}  // namespace plurix::wire

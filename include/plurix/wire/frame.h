// The 72 bytes in front of every message, the checks that any arriving frame must pass before its
// body is looked at, and the limits of the format. Little-endian, no padding.
//
//   0  crc32c      over everything behind this field
//   4  magic       "PLRX"
//   8  version     of the wire format
//   9  type        MessageType
//  10  body_bytes  what follows the header
//  12  epoch       incarnation of the cluster
//  16  cluster     upper half: from its name; lower half: drawn at founding (0 while joining)
//  24  commit_time what the sender had applied when it sent
//  32  sender, receiver
//  36  incarnation of the sender, 40 of the receiver (0: everyone, or not known yet): numbers of
//      nodes are given again, and a frame to a former life must not reach the next one
//  44  auth        key id, counter, tag: the Auth policy's business, zero under NoAuth
#pragma once

#include <plurix/base/crc32c.h>
#include <plurix/concepts/transport.h>

#include <bit>
#include <type_traits>

namespace plurix::wire {

static_assert(std::endian::native == std::endian::little, "the wire format is little-endian");

inline constexpr std::uint32_t kMagic = 0x58524c50;  // "PLRX"
inline constexpr std::uint8_t kVersion = 1;

/// Bodies other than page contents and member tables stay below this, so that they fit one Ethernet
/// frame with IPv4 and UDP in front: 1500 - 28 - 72.
inline constexpr std::size_t kSmallBody = 1400;

enum class MessageType : std::uint8_t {
  kPageRequest = 1,
  kPageReply,
  kPageRedirect,
  kTokenRequest,
  kTokenGrant,
  kTokenAck,
  kCommitNotice,
  kCatchUpRequest,
  kCommitRecords,
  kLogExhausted,
  kSyncRequest,
  kSyncReply,
  kJoinRequest,
  kJoinChallenge,
  kJoinGrant,
  kJoinRefused,
  kJoinWait,
  kTimeBeacon,
  kTimeQuery,
  kTimeReply,
  kAdoptRequest,
  kLeaveRequest,
  kEpochOpen,
  kEpochReport,
  kEpochBegin,
  kEpochQuery,
  kDeathNotice,
  kOrphanCall,
  kOrphanClaim,
  kEpochLease,
  kImageRequest,
  kImagePage,
  kImageNotice,
};
inline constexpr std::uint8_t kFirstType = 1;
inline constexpr std::uint8_t kLastType = static_cast<std::uint8_t>(MessageType::kImageNotice);

struct FrameHeader {
  std::uint32_t crc32c = 0;
  std::uint32_t magic = kMagic;
  std::uint8_t version = kVersion;
  MessageType type = MessageType::kTimeBeacon;
  std::uint16_t body_bytes = 0;
  Epoch epoch = 0;
  ClusterId cluster = 0;
  CommitTime commit_time;
  NodeId sender = kNoNode;
  NodeId receiver = kNoNode;
  std::uint32_t incarnation = 0;
  std::uint32_t receiver_incarnation = 0;
  std::uint32_t auth_key_id = 0;
  std::uint64_t auth_counter = 0;
  std::uint8_t auth_tag[16] = {};
};
static_assert(sizeof(FrameHeader) == 72);
static_assert(std::is_trivially_copyable_v<FrameHeader>);
static_assert(std::has_unique_object_representations_v<FrameHeader>);

/// Why a frame was dropped. Counted, never acted upon (DESIGN P6).
enum class DropReason : std::uint8_t {
  kNone,
  kTooShort,
  kBadLength,
  kBadMagic,
  kBadVersion,
  kBadChecksum,
  kBadType,
  kBadAuth,
  kForeignCluster,
  kOldEpoch,
  kUnknownSender,
  kWrongReceiver,
  kMalformedBody,
  kNotJoined,
  kQueueFull,
  kCount,
};

/// Proves who sent a frame. `seal` fills the auth field before the checksum is taken, `verify` says
/// whether a frame may be believed.
template <class A>
concept Auth = requires(A& a, FrameHeader& header, Bytes body, Bytes payload) {
  { a.seal(header, body, payload) } noexcept;
  { a.verify(header, body) } noexcept -> std::same_as<bool>;
};

/// No authentication: the field is zero.
struct NoAuth {
  void seal(FrameHeader&, Bytes, Bytes) noexcept {}
  bool verify(const FrameHeader& header, Bytes) noexcept {
    return header.auth_key_id == 0 && header.auth_counter == 0;
  }
};
static_assert(Auth<NoAuth>);

/// A frame that passed `check`: its header, and its body as it stands in the receive buffer.
struct FrameView {
  FrameHeader header;
  Bytes body;
};

/// Checks length, magic, version, type and checksum. Fills `view` only when it returns kNone. Any
/// context; reads nothing outside `frame`.
DropReason check_frame(Bytes frame, FrameView& view) noexcept;

/// Sets body length and checksum of a frame whose body is `body` followed by `payload`.
void finish_frame(FrameHeader& header, Bytes body, Bytes payload) noexcept;

}  // namespace plurix::wire

// TraceSink: takes the fixed-size event record that everything drawn or digested is made from.
#pragma once

#include <plurix/base/time.h>
#include <plurix/base/types.h>

#include <concepts>
#include <type_traits>

namespace plurix {

enum class TraceKind : std::uint8_t {
  kAttemptBegin = 1,  ///< a: attempt number
  kAttemptAbort,      ///< a: attempt number, page: where it collided
  kCommit,            ///< a: pages written, b: packets
  kReadOnlyEnd,       ///< a: attempt number
  kFault,             ///< page: the page, flags: 1 when writing
  kFetch,             ///< page: requested from node a
  kMapped,            ///< page: now readable, a: from node
  kServe,             ///< page: sent to node a
  kShadow,            ///< page: shadow image taken
  kApply,             ///< a: writer, b: pages invalidated here
  kTokenRequest,      ///< a: asked node
  kTokenGrant,        ///< a: new holder, b: token number
  kTokenHeld,         ///< b: token number
  kBehind,            ///< a: ticks missing
  kCatchUp,           ///< a: asked node
  kResync,            ///< a: asked node
  kJoined,            ///< a: node
  kLeft,              ///< a: node
  kDropped,           ///< flags: reason (DropReason)
  kSend,              ///< a: message type, b: receiver, page: what it is about
  kReceive,           ///< a: message type, b: sender
  kEpoch,             ///< a: the epoch that began
};

/// One event, 32 bytes, no padding. Files of it are little-endian.
struct TraceRecord {
  std::uint64_t commit_time;  ///< what the node had applied
  std::int64_t local_ns;      ///< the node's clock
  std::uint32_t page;         ///< page concerned, or kNoPage
  std::uint16_t node;
  TraceKind kind;
  std::uint8_t flags;
  std::uint32_t a;
  std::uint32_t b;
};
static_assert(sizeof(TraceRecord) == 32);
static_assert(std::has_unique_object_representations_v<TraceRecord>);

/// `kEnabled == false` compiles every call to nothing. Fault and interrupt context: no allocation.
template <class T>
concept TraceSink = requires(T& t, const TraceRecord& record) {
  { t.record(record) } noexcept;
  { T::kEnabled } -> std::convertible_to<bool>;
};

struct NullTraceSink {
  static constexpr bool kEnabled = false;
  void record(const TraceRecord&) noexcept {}
};
static_assert(TraceSink<NullTraceSink>);

}  // namespace plurix

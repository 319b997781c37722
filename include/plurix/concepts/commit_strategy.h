// CommitStrategy: who may commit next, a pure choice among those who wait for the token.
#pragma once

#include <plurix/base/types.h>

#include <concepts>
#include <span>

namespace plurix {

/// One node's wish for the token, as its holder sees it. The list a strategy gets is in order of
/// arrival and has at most one entry a node.
struct TokenRequest {
  NodeId node = kNoNode;
  std::uint16_t hops = 0;        ///< how often the request was passed on to a better-known holder
  std::uint32_t collisions = 0;  ///< how often the waiting transaction was aborted so far
  std::uint32_t number = 0;      ///< grows with each request of that node
  std::uint32_t reserved = 0;
  CommitTime time;  ///< what the requester had applied when it asked
};
static_assert(sizeof(TokenRequest) == 24);

/// Returns one of the waiting nodes; `waiting` is never empty.
template <class S>
concept ChoosesNextHolder =
    requires(const S& s, std::span<const TokenRequest> waiting, CommitTime now) {
      { s.grant(waiting, now) } noexcept -> std::same_as<NodeId>;
    };

/// Optional facet: after this many collisions the attempt runs while its node holds the token, so
/// that nothing can abort it again. A strategy without it gets kDefaultHoldAfter.
template <class S>
concept BoundsRestarts = requires {
  { S::kHoldAfter } -> std::convertible_to<std::uint32_t>;
};

inline constexpr std::uint32_t kDefaultHoldAfter = 4;
inline constexpr std::uint32_t kNeverHold = 0xffffffff;

template <class S>
concept CommitStrategy = ChoosesNextHolder<S>;

template <CommitStrategy S>
constexpr std::uint32_t hold_after() noexcept {
  if constexpr (BoundsRestarts<S>) {
    return S::kHoldAfter;
  } else {
    return kDefaultHoldAfter;
  }
}

}  // namespace plurix

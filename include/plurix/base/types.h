// The small value types every layer speaks: who (NodeId), which page (PageIndex), and when in the
// cluster's logical order (CommitTime, Epoch). Wall-clock values live in time.h; the two never mix.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace plurix {

/// A node's number inside one cluster, 0 … kMaxNodes-1, given at join.
using NodeId = std::uint16_t;

/// Largest number of nodes in one cluster. Tables indexed by node have this size.
inline constexpr std::size_t kMaxNodes = 64;

/// "no node": an unknown owner, an unknown token holder.
inline constexpr NodeId kNoNode = 0xffff;

/// Receiver of a message that every member shall see.
inline constexpr NodeId kEveryone = 0xfffe;

/// A page of the heap, counted from the heap's base. The address is base + index * kPageSize.
using PageIndex = std::uint32_t;

inline constexpr PageIndex kNoPage = 0xffffffff;

/// Logical global time (paper section 5.2): dense, one tick a commit packet. Not a clock reading.
struct CommitTime {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(CommitTime, CommitTime) noexcept = default;
  constexpr CommitTime operator+(std::uint64_t ticks) const noexcept { return {value + ticks}; }
  constexpr std::uint64_t operator-(CommitTime other) const noexcept { return value - other.value; }
};

/// Incarnation of the cluster: grows at every recovery. Messages of another epoch change nothing.
using Epoch = std::uint32_t;

/// Names a cluster on the wire: upper half from its name, lower half drawn when it was founded.
using ClusterId = std::uint64_t;

/// Where a node is reached; opaque to the hub. The transport fills and reads it (IPv4 address and
/// port, a MAC address, a simulated port number).
struct Endpoint {
  std::byte bytes[16] = {};

  friend constexpr bool operator==(const Endpoint&, const Endpoint&) noexcept = default;
};

/// What the application may do with a page through its protected view.
enum class Rights : std::uint8_t { kNone, kRead, kWrite };

/// What the application tries to do with a page.
enum class Access : std::uint8_t { kRead, kWrite };

}  // namespace plurix

// MAC addresses, and how they stand in the hub's endpoints.
#pragma once

#include <plurix/base/types.h>

#include <cstddef>
#include <cstring>

namespace plurix::ethernet {

struct MacAddress {
  std::byte bytes[6] = {};

  friend constexpr bool operator==(const MacAddress&, const MacAddress&) noexcept = default;

  /// A group of stations (multicast or broadcast): never the source of a frame, never a member.
  constexpr bool is_group() const noexcept { return (bytes[0] & std::byte{1}) != std::byte{0}; }
};

/// Every station of the segment.
inline constexpr MacAddress kBroadcast{{std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                                        std::byte{0xff}, std::byte{0xff}, std::byte{0xff}}};

/// The first byte of an endpoint that is a MAC address; the number Ethernet has in ARP is 1.
inline constexpr std::byte kEndpointKind{1};
inline constexpr std::size_t kAddressAt = 2;

constexpr Endpoint make_endpoint(const MacAddress& address) noexcept {
  Endpoint endpoint;
  endpoint.bytes[0] = kEndpointKind;
  for (std::size_t i = 0; i < 6; ++i) endpoint.bytes[kAddressAt + i] = address.bytes[i];
  return endpoint;
}

/// False if the endpoint is of another network, or nobody's.
constexpr bool to_mac(const Endpoint& endpoint, MacAddress& address) noexcept {
  if (endpoint.bytes[0] != kEndpointKind) return false;
  for (std::size_t i = 0; i < 6; ++i) address.bytes[i] = endpoint.bytes[kAddressAt + i];
  return address != MacAddress{};
}

}  // namespace plurix::ethernet

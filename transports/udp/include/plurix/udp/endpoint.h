// An IPv4 address and port inside the hub's opaque Endpoint.
//
//   byte 0      4 (the IP version; 0 in an Endpoint that names nobody)
//   byte 1      0
//   bytes 2-3   port, network order
//   bytes 4-7   address, network order
//   bytes 8-15  0
#pragma once

#include <plurix/base/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_in;

namespace plurix::udp {

/// `address` and `port` in host order.
Endpoint make_endpoint(std::uint32_t address, std::uint16_t port) noexcept;

/// Reads "127.0.0.1:4711"; without ":port" the port is `default_port`. Numeric addresses only, so
/// that nothing waits for a name server. Empty when the text is no address.
std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 0);

/// "127.0.0.1:4711", or "nowhere" for an Endpoint that names nobody.
std::string format_endpoint(const Endpoint& endpoint);

/// Any context. False, and `address` untouched, when the endpoint is no IPv4 address.
bool to_sockaddr(const Endpoint& endpoint, sockaddr_in& address) noexcept;
Endpoint from_sockaddr(const sockaddr_in& address) noexcept;

}  // namespace plurix::udp

#include <plurix/udp/endpoint.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <algorithm>
#include <charconv>
#include <cstring>

namespace plurix::udp {
namespace {

constexpr std::byte kIpVersion{4};
constexpr std::size_t kPortAt = 2;
constexpr std::size_t kAddressAt = 4;

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Endpoint from_sockaddr(const sockaddr_in& address) noexcept {
  Endpoint endpoint;
  endpoint.bytes[0] = kIpVersion;
  std::memcpy(endpoint.bytes + kPortAt, &address.sin_port, sizeof address.sin_port);
  std::memcpy(endpoint.bytes + kAddressAt, &address.sin_addr, sizeof address.sin_addr);
  return endpoint;
}

bool to_sockaddr(const Endpoint& endpoint, sockaddr_in& address) noexcept {
  if (endpoint.bytes[0] != kIpVersion) return false;
  address = {};
  address.sin_family = AF_INET;
  std::memcpy(&address.sin_port, endpoint.bytes + kPortAt, sizeof address.sin_port);
  std::memcpy(&address.sin_addr, endpoint.bytes + kAddressAt, sizeof address.sin_addr);
  return true;
}

Endpoint make_endpoint(std::uint32_t address, std::uint16_t port) noexcept {
  sockaddr_in socket_address = {};
  socket_address.sin_port = htons(port);
  socket_address.sin_addr.s_addr = htonl(address);
  return from_sockaddr(socket_address);
}

std::optional<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  const auto colon = text.find(':');
  const auto host = text.substr(0, colon);
  auto port = default_port;
  if (colon != std::string_view::npos && !parse_port(text.substr(colon + 1), port)) return {};
  in_addr address = {};
  if (::inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) return {};
  return make_endpoint(ntohl(address.s_addr), port);
}

std::string format_endpoint(const Endpoint& endpoint) {
  sockaddr_in address = {};
  if (!to_sockaddr(endpoint, address)) return "nowhere";
  char text[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return std::string(text) + ':' + std::to_string(ntohs(address.sin_port));
}

}  // namespace plurix::udp

// UdpLink: how a hosted node reaches the others by default, over UDP. A link (see BasicNode) makes
// the transport of a node from its options and knows where to look for a cluster.
#pragma once

#include <plurix/posix/node_options.h>

#include <concepts>
#include <memory>
#include <string>
#include <vector>

namespace plurix::posix {

/// `open` throws when there is no way to the network; all may throw std::invalid_argument for
/// options that make no sense. `asked` says in words who is asked for the cluster.
template <class L>
concept Link = requires(const NodeOptions& options, typename L::Net& net, const sigset_t& mask) {
  requires Transport<typename L::Net>;
  { L::open(options) } -> std::same_as<std::unique_ptr<typename L::Net>>;
  { L::seeds(options) } -> std::same_as<std::vector<Endpoint>>;
  { L::asked(options) } -> std::same_as<std::string>;
  { L::to_text(Endpoint{}) } -> std::same_as<std::string>;
  { net.fd() } noexcept -> std::same_as<int>;
  { net.set_sleep_mask(mask) } noexcept;
};

struct UdpLink {
  using Net = udp::UdpTransport;

  static std::unique_ptr<Net> open(const NodeOptions& options);
  static std::vector<Endpoint> seeds(const NodeOptions& options);
  static std::string asked(const NodeOptions& options);
  static std::string to_text(const Endpoint& endpoint);
};
static_assert(Link<UdpLink>);

}  // namespace plurix::posix

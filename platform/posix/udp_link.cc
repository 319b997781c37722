#include <plurix/posix/udp_link.h>

namespace plurix::posix {
namespace {

constexpr std::uint16_t kFirstPort = 20'000;
constexpr std::uint16_t kPortsInUse = 20'000;
constexpr const char* kHome = "127.0.0.1";

bool names_port(const std::string& address) { return address.find(':') != std::string::npos; }

Endpoint parse(const std::string& what, const std::string& text, std::uint16_t port = 0) {
  const auto endpoint = udp::parse_endpoint(text, port);
  if (!endpoint) {
    throw std::invalid_argument(what + " \"" + text +
                                "\" is no address; write it as 127.0.0.1:4711");
  }
  return *endpoint;
}

std::string home_of(const NodeOptions& options) {
  return options.bind.empty() ? kHome : options.bind.substr(0, options.bind.find(':'));
}

std::unique_ptr<udp::UdpTransport> open_at(const Endpoint& endpoint, const NodeOptions& options) {
  return std::make_unique<udp::UdpTransport>(
      udp::UdpOptions{.bind = endpoint, .kind = options.receive});
}

std::unique_ptr<udp::UdpTransport> open_socket(const NodeOptions& options) {
  const auto home = home_of(options);
  // The others are told this address and compare it with where frames come from.
  if (parse("bind", home, 1) == udp::make_endpoint(0, 1)) {
    throw std::invalid_argument("bind \"" + options.bind +
                                "\" names every interface; name the one address by which the "
                                "other nodes reach this one");
  }
  if (names_port(options.bind)) return open_at(parse("bind", options.bind), options);
  const auto first = first_cluster_port(options.cluster);
  for (std::uint16_t i = 0;; ++i) {
    try {
      return open_at(parse("bind", home, static_cast<std::uint16_t>(first + i)), options);
    } catch (const udp::SetupError&) {
      if (i + 1 == kClusterPorts) throw;
    }
  }
}

}  // namespace

std::uint16_t first_cluster_port(const std::string& cluster) noexcept {
  return static_cast<std::uint16_t>(kFirstPort + cluster_name_hash(cluster) % kPortsInUse);
}

std::unique_ptr<udp::UdpTransport> UdpLink::open(const NodeOptions& options) {
  return open_socket(options);
}

std::vector<Endpoint> UdpLink::seeds(const NodeOptions& options) {
  std::vector<Endpoint> seeds;
  for (const auto& text : options.seeds) seeds.push_back(parse("the seed", text));
  if (!seeds.empty()) return seeds;
  const auto first = first_cluster_port(options.cluster);
  for (std::uint16_t i = 0; i < kClusterPorts; ++i) {
    seeds.push_back(parse("bind", home_of(options), static_cast<std::uint16_t>(first + i)));
  }
  return seeds;
}

std::string UdpLink::asked(const NodeOptions& options) {
  std::string asked;
  for (const auto& seed : options.seeds) asked += (asked.empty() ? "" : ", ") + seed;
  if (!asked.empty()) return asked;
  const auto first = first_cluster_port(options.cluster);
  return home_of(options) + ":" + std::to_string(first) +
         " to :" + std::to_string(first + kClusterPorts - 1);
}

std::string UdpLink::to_text(const Endpoint& endpoint) { return udp::format_endpoint(endpoint); }

}  // namespace plurix::posix

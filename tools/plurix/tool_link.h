// ToolLink: the network of a node started by the command, chosen by its options: UDP, or the
// Ethernet segment if one is named.
#pragma once

#include <plurix/posix/segment_link.h>

#include <string>

namespace plurix::tool {

/// One of the two transports; the other does not exist.
class ToolNet {
  template <class Use>
  auto with(Use use) noexcept {
    return udp_ != nullptr ? use(*udp_) : use(*segment_);
  }

 public:
  explicit ToolNet(const posix::NodeOptions& options) {
    if (options.segment.empty()) {
      udp_ = posix::UdpLink::open(options);
    } else {
      segment_ = posix::SegmentLink::open(options);
    }
  }

  void send(NodeId to, Bytes head, Bytes payload) noexcept {
    with([&](auto& net) { net.send(to, head, payload); });
  }
  void broadcast(Bytes head, Bytes payload) noexcept {
    with([&](auto& net) { net.broadcast(head, payload); });
  }
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
    with([&](auto& net) { net.send_to(endpoint, head, payload); });
  }
  std::size_t poll(FrameSink sink) noexcept {
    return with([&](auto& net) { return net.poll(sink); });
  }
  void overhear(FrameSink sink) noexcept {
    if (segment_ != nullptr) segment_->overhear(sink);
  }
  void wait(Instant until) noexcept {
    with([&](auto& net) { net.wait(until); });
  }
  void set_peer(NodeId node, const Endpoint& endpoint) noexcept {
    with([&](auto& net) { net.set_peer(node, endpoint); });
  }
  void remove_peer(NodeId node) noexcept {
    with([&](auto& net) { net.remove_peer(node); });
  }
  Endpoint local_endpoint() const noexcept {
    return udp_ != nullptr ? udp_->local_endpoint() : segment_->local_endpoint();
  }
  bool is_absent(const Endpoint& endpoint) noexcept {
    return udp_ != nullptr && udp_->is_absent(endpoint);
  }
  int fd() const noexcept { return udp_ != nullptr ? udp_->fd() : segment_->fd(); }
  void set_sleep_mask(const sigset_t& mask) noexcept {
    with([&](auto& net) { net.set_sleep_mask(mask); });
  }

  /// "plain", "io_uring", "segment"
  std::string kind() const {
    return udp_ != nullptr ? std::string(to_string(udp_->kind())) : "segment";
  }

 private:
  std::unique_ptr<udp::UdpTransport> udp_;
  std::unique_ptr<segment::SegmentTransport> segment_;
};
static_assert(Transport<ToolNet> && Overhears<ToolNet>);

struct ToolLink {
  using Net = ToolNet;

  static std::unique_ptr<Net> open(const posix::NodeOptions& options) {
    return std::make_unique<Net>(options);
  }
  static std::vector<Endpoint> seeds(const posix::NodeOptions& options) {
    return options.segment.empty() ? posix::UdpLink::seeds(options)
                                   : posix::SegmentLink::seeds(options);
  }
  static std::string asked(const posix::NodeOptions& options) {
    return options.segment.empty() ? posix::UdpLink::asked(options)
                                   : posix::SegmentLink::asked(options);
  }
  static std::string to_text(const Endpoint& endpoint) {
    const bool on_segment = endpoint.bytes[0] == ethernet::kEndpointKind;
    return on_segment ? posix::SegmentLink::to_text(endpoint) : posix::UdpLink::to_text(endpoint);
  }
};
static_assert(posix::Link<ToolLink>);

}  // namespace plurix::tool

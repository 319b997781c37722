// EthernetTransport: messages as raw Ethernet frames, over any FrameDevice. The same code runs on a
// network card without an operating system and on a socket.
//
// A broadcast is sent to each member by its address: a frame to the whole segment would reach other
// clusters, too.
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/ethernet/device.h>
#include <plurix/ethernet/frame.h>
#include <plurix/ethernet/reassembly.h>

#include <span>

namespace plurix::ethernet {

/// Messages since construction, where nothing else is said.
struct EthernetCounters {
  std::uint64_t sent = 0;
  std::uint64_t sent_frames = 0;
  std::uint64_t received = 0;
  std::uint64_t received_frames = 0;      ///< those that were fragments for this station
  std::uint64_t unsent_no_room = 0;       ///< the device had no buffer for one of its frames
  std::uint64_t unsent_unknown_peer = 0;  ///< no such node, or an endpoint that is no address
  std::uint64_t unsent_too_large = 0;     ///< more than kMaxFrame
  std::uint64_t dropped_foreign = 0;      ///< frames of another EtherType or for another station
  std::uint64_t dropped_malformed = 0;    ///< frames of ours whose fields contradict each other
  std::uint64_t overheard = 0;            ///< between others, and handed out
};

/// Needs no memory but its own and never throws. All calls come from one thread and the interrupts
/// that the node lets through, never nested.
template <FrameDevice Device>
class EthernetTransport {
 public:
  /// The device outlives it. `session` is a number that earlier lives of this station have not had:
  /// random, or a clock's.
  EthernetTransport(Device& device, std::uint32_t session) noexcept
      : device_(device), message_{session, 0} {}
  EthernetTransport(const EthernetTransport&) = delete;
  EthernetTransport& operator=(const EthernetTransport&) = delete;

  void send(NodeId to, Bytes head, Bytes payload) noexcept {
    if (const auto* peer = find(to)) return transmit(peer->address, head, payload);
    ++counters_.unsent_unknown_peer;
  }

  void broadcast(Bytes head, Bytes payload) noexcept {
    for (const auto& peer : peers_) transmit(peer.address, head, payload);
  }

  /// The endpoint may be kBroadcast's: whoever is on the segment, to look for a cluster.
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
    MacAddress address;
    if (to_mac(endpoint, address)) return transmit(address, head, payload);
    ++counters_.unsent_unknown_peer;
  }

  std::size_t poll(FrameSink sink) noexcept {
    sink_ = sink;
    handed_out_ = 0;
    device_.receive({[](void* self, Bytes frame) noexcept {
                       static_cast<EthernetTransport*>(self)->receive(frame);
                     },
                     this});
    return handed_out_;
  }

  /// What members say to others in several frames is put together in `memory`, apart from what is
  /// for this station, and handed to `sink`. Both outlive the transport; the device must hand such
  /// frames out.
  void overhear(FrameSink sink, Reassembly& memory) noexcept {
    overheard_sink_ = sink;
    overheard_ = &memory;
  }

  void wait(Instant until) noexcept { device_.wait(until); }

  void set_peer(NodeId node, const Endpoint& endpoint) noexcept {
    remove_peer(node);
    Peer peer{node, {}};
    if (node >= kMaxNodes || !to_mac(endpoint, peer.address) || peer.address.is_group()) return;
    PLURIX_ASSERT(peers_.push(peer));
  }

  void remove_peer(NodeId node) noexcept {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      if (peers_[i].node != node) continue;
      peers_.erase(i);
      if (overheard_ != nullptr) overheard_->forget(node);
      return reassembly_.forget(node);
    }
  }

  Endpoint local_endpoint() const noexcept { return make_endpoint(device_.address()); }

  const EthernetCounters& counters() const noexcept { return counters_; }
  std::uint64_t messages_given_up() const noexcept { return reassembly_.given_up(); }
  Device& device() noexcept { return device_; }
  const Device& device() const noexcept { return device_; }

 private:
  struct Peer {
    NodeId node = kNoNode;
    MacAddress address;
  };

  const Peer* find(NodeId node) const noexcept {
    for (const auto& peer : peers_) {
      if (peer.node == node) return &peer;
    }
    return nullptr;
  }

  NodeId node_at(const MacAddress& address) const noexcept {
    for (const auto& peer : peers_) {
      if (peer.address == address) return peer.node;
    }
    return kNoNode;
  }

  void transmit(const MacAddress& to, Bytes head, Bytes payload) noexcept {
    const auto total = head.size() + payload.size();
    if (total > kMaxFrame) {
      ++counters_.unsent_too_large;
      return;
    }
    ++message_.number;
    const auto from = device_.address();
    for (std::size_t i = 0; i < fragments_for(total); ++i) {
      const auto header = make_header(from, to, message_, total, i);
      const auto parts = stretch_of(head, payload, i * kFragment, contents_of(total, i));
      if (!device_.transmit(std::as_bytes(std::span{&header, 1}), parts.first, parts.second)) {
        ++counters_.unsent_no_room;
        return;
      }
      ++counters_.sent_frames;
    }
    ++counters_.sent;
  }

  void receive(Bytes frame) noexcept {
    Fragment fragment;
    const auto wrong = read_fragment(frame, fragment);
    if (wrong == NotOurs::kMalformed) {
      ++counters_.dropped_malformed;
    } else if (wrong == NotOurs::kNothing && is_for_us(fragment)) {
      ++counters_.received_frames;
      take(fragment);
    } else if (wrong == NotOurs::kForeign || !overhear(fragment)) {
      ++counters_.dropped_foreign;
    }
  }

  /// Of members only: strangers' pages are of no use, and would take the memory of theirs. What
  /// fits one frame is no page.
  bool overhear(const Fragment& fragment) noexcept {
    if (overheard_ == nullptr || fragment.from == device_.address()) return false;
    const auto peer = node_at(fragment.from);
    if (peer == kNoNode || fragment.count == 1) return false;
    const auto message = overheard_->add(fragment, peer);
    if (message.empty()) return true;
    ++counters_.overheard;
    overheard_sink_(message, make_endpoint(fragment.from));
    return true;
  }

  /// A socket on an interface also hears what it sends itself.
  bool is_for_us(const Fragment& fragment) const noexcept {
    const auto own = device_.address();
    return fragment.from != own && (fragment.to == own || fragment.to == kBroadcast);
  }

  void take(const Fragment& fragment) noexcept {
    const bool whole = fragment.count == 1;
    const auto message =
        whole ? fragment.contents : reassembly_.add(fragment, node_at(fragment.from));
    if (message.empty()) return;
    ++handed_out_;
    ++counters_.received;
    sink_(message, make_endpoint(fragment.from));
  }

  Device& device_;
  MessageNumber message_;  ///< of the message sent last
  FrameSink sink_;
  std::size_t handed_out_ = 0;
  EthernetCounters counters_;
  BoundedVector<Peer, kMaxNodes> peers_;
  Reassembly reassembly_;
  Reassembly* overheard_ = nullptr;  ///< only while listening
  FrameSink overheard_sink_;
};

}  // namespace plurix::ethernet

// WatchedTransport: tells the datagram interrupt when the node looks at its socket and when it
// waits, so that no signal comes for a datagram that is looked for anyway.
#pragma once

#include <plurix/concepts/transport.h>
#include <plurix/posix/datagram_interrupt.h>

#include <type_traits>
#include <utility>

namespace plurix::posix {

/// A wrapper that leaves the transport as it is.
template <class Inner>
using Unwrapped = Inner&;

/// `Inner` is a transport, held here, or a reference to one.
template <class Inner>
class WatchedTransport {
  static_assert(Transport<std::remove_reference_t<Inner>>);

 public:
  template <class... Arguments>
  explicit WatchedTransport(DatagramInterrupt& interrupt, Arguments&&... arguments)
      : inner_(std::forward<Arguments>(arguments)...), interrupt_(interrupt) {}

  void send(NodeId to, Bytes head, Bytes payload) noexcept { inner_.send(to, head, payload); }
  void broadcast(Bytes head, Bytes payload) noexcept { inner_.broadcast(head, payload); }
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
    inner_.send_to(endpoint, head, payload);
  }

  void send_together(NodeId to, std::span<const FrameParts> frames) noexcept
    requires SendsTogether<std::remove_reference_t<Inner>>
  {
    inner_.send_together(to, frames);
  }

  std::size_t poll(FrameSink sink) noexcept {
    interrupt_.entered();
    // Before the look, which so finds what came too early to signal; a poll after a wait may only
    // hand out the frame that ended it.
    const bool signals_on = std::exchange(has_waited_, false) && interrupt_.computing();
    const auto frames = inner_.poll(sink);
    return signals_on ? frames + inner_.poll(sink) : frames;
  }

  void overhear(FrameSink sink) noexcept
    requires Overhears<std::remove_reference_t<Inner>>
  {
    inner_.overhear(sink);
  }

  void wait(Instant until) noexcept {
    interrupt_.quiet();
    has_waited_ = true;
    inner_.wait(until);
  }

  void set_peer(NodeId node, const Endpoint& endpoint) noexcept { inner_.set_peer(node, endpoint); }
  void remove_peer(NodeId node) noexcept { inner_.remove_peer(node); }
  Endpoint local_endpoint() const noexcept { return inner_.local_endpoint(); }
  bool is_absent(const Endpoint& endpoint) noexcept
    requires KnowsAbsence<std::remove_reference_t<Inner>>
  {
    return inner_.is_absent(endpoint);
  }

  std::remove_reference_t<Inner>& inner() noexcept { return inner_; }
  const std::remove_reference_t<Inner>& inner() const noexcept { return inner_; }

 private:
  Inner inner_;
  DatagramInterrupt& interrupt_;
  bool has_waited_ = false;
};

}  // namespace plurix::posix

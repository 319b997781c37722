// Transport: carries frames between nodes, unreliably. It may lose, double, delay and reorder them;
// it never splits or joins them as far as its user can see. Models: UDP, RTL8139 raw Ethernet,
// simulated; wrappers over any of them add faults, traces and captures.
#pragma once

#include <plurix/base/time.h>
#include <plurix/base/types.h>

#include <concepts>
#include <cstddef>
#include <span>

namespace plurix {

using Bytes = std::span<const std::byte>;

/// Largest frame, head and payload together: a page reply with its header, rounded up.
inline constexpr std::size_t kMaxFrame = 4096 + 256;

/// Receives one frame at a time from `Transport::poll`. The bytes are valid during the call only.
struct FrameSink {
  void (*call)(void* context, Bytes frame, const Endpoint& from) noexcept = nullptr;
  void* context = nullptr;

  void operator()(Bytes frame, const Endpoint& from) const noexcept { call(context, frame, from); }
};

/// Sends gather two parts so that a page is not copied into a buffer first. A frame that cannot be
/// sent now (no buffer, unknown peer) is dropped and counted: the protocol repeats what matters.
template <class T>
concept SendsFrames =
    requires(T& t, NodeId to, const Endpoint& endpoint, Bytes head, Bytes payload) {
      { t.send(to, head, payload) } noexcept;
      { t.broadcast(head, payload) } noexcept;
      { t.send_to(endpoint, head, payload) } noexcept;
    };

/// One frame in two parts.
struct FrameParts {
  Bytes head;
  Bytes payload;
  std::size_t size() const noexcept { return head.size() + payload.size(); }
};

/// Beyond a Transport: frames of one size for one peer are cheaper when they are handed over
/// together. Each arrives, or is lost, as if it had been sent alone.
template <class T>
concept SendsTogether = requires(T& t, NodeId to, std::span<const FrameParts> frames) {
  { t.send_together(to, frames) } noexcept;
};

/// `poll` hands every frame that has arrived (a bounded batch) to the sink and returns how many.
/// `wait` returns when a frame may have arrived or at `until`, whichever is first; early returns
/// are allowed.
template <class T>
concept ReceivesFrames = requires(T& t, FrameSink sink, Instant until) {
  { t.poll(sink) } noexcept -> std::convertible_to<std::size_t>;
  { t.wait(until) } noexcept;
};

/// Who the members are; `broadcast` reaches exactly the peers set here.
template <class T>
concept KnowsPeers = requires(T& t, NodeId node, const Endpoint& endpoint) {
  { t.set_peer(node, endpoint) } noexcept;
  { t.remove_peer(node) } noexcept;
  { t.local_endpoint() } noexcept -> std::same_as<Endpoint>;
};

/// Optional. `is_absent` is true only if it is certain that nobody can be heard from `endpoint`
/// now: it is this machine's, and no process has it. A process that starts there later begins anew.
template <class T>
concept KnowsAbsence = requires(T& t, const Endpoint& endpoint) {
  { t.is_absent(endpoint) } noexcept -> std::same_as<bool>;
};

/// Optional. From now on `poll` also hands out, to `sink` and not to its own, what other stations
/// say to each other: pages at least, as far as the medium lets them be heard, and as unreliably as
/// everything else.
template <class T>
concept Overhears = requires(T& t, FrameSink sink) {
  { t.overhear(sink) } noexcept;
};

template <class T>
concept Transport = SendsFrames<T> && ReceivesFrames<T> && KnowsPeers<T>;

}  // namespace plurix

// FrameDevice: something that sends and receives Ethernet frames: a network card, a socket.
// EthernetTransport (transport.h) makes a Transport of it.
#pragma once

#include <plurix/base/time.h>
#include <plurix/concepts/transport.h>
#include <plurix/ethernet/address.h>

#include <concepts>
#include <cstddef>

namespace plurix::ethernet {

/// Gets one frame at a time, without its checksum. The bytes are valid during the call only.
struct RawSink {
  void (*call)(void* context, Bytes frame) noexcept = nullptr;
  void* context = nullptr;

  void operator()(Bytes frame) const noexcept { call(context, frame); }
};

/// `transmit` sends the three parts as one frame, padded to the shortest one where the medium wants
/// that; false if there was no room, and nothing was sent. `receive` hands out what has arrived, a
/// bounded batch, and returns how many frames that were; the sink may transmit. `wait` returns when
/// a frame may have arrived or at `until`, whichever is first; early returns are allowed.
template <class D>
concept FrameDevice =
    requires(D& d, const D& c, Bytes header, Bytes first, Bytes second, RawSink sink, Instant at) {
      { c.address() } noexcept -> std::same_as<MacAddress>;
      { d.transmit(header, first, second) } noexcept -> std::same_as<bool>;
      { d.receive(sink) } noexcept -> std::convertible_to<std::size_t>;
      { d.wait(at) } noexcept;
    };

}  // namespace plurix::ethernet

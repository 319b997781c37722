// SegmentTransport: the Transport of a Linux process on an Ethernet segment.
#pragma once

#include <plurix/ethernet/transport.h>
#include <plurix/segment/device.h>

#include <memory>
#include <new>

namespace plurix::segment {

/// Holds the device in front of the transport, which refers to it.
struct DeviceHolder {
  explicit DeviceHolder(const SegmentOptions& options) : held(options) {}
  SegmentDevice held;
};

class SegmentTransport : private DeviceHolder, public ethernet::EthernetTransport<SegmentDevice> {
 public:
  /// `session`: see EthernetTransport. Throws SetupError.
  SegmentTransport(const SegmentOptions& options, std::uint32_t session)
      : DeviceHolder(options), EthernetTransport(held, session) {}

  /// Listens from here on, if there is memory for what comes in pieces.
  void overhear(FrameSink sink) noexcept {
    overheard_.reset(new (std::nothrow) ethernet::Reassembly);
    if (overheard_ == nullptr) return;
    EthernetTransport::overhear(sink, *overheard_);
    device().listen();
  }

  void set_sleep_mask(const sigset_t& mask) noexcept { device().set_sleep_mask(mask); }
  int fd() const noexcept { return device().fd(); }

 private:
  std::unique_ptr<ethernet::Reassembly> overheard_;
};
static_assert(Transport<SegmentTransport> && Overhears<SegmentTransport>);

}  // namespace plurix::segment

// SegmentDevice: a Linux process's network card on an Ethernet segment. Where the segment is, says
// its place:
//
//   hub:PATH         a hub (hub.h) that listens on the unix socket PATH; needs no privilege
//   interface:NAME   a network interface, real or tap, through AF_PACKET; needs CAP_NET_RAW
#pragma once

#include <plurix/ethernet/device.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace plurix::segment {

/// The segment cannot be reached; the text says what failed, why, and what would help.
class SetupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SegmentOptions {
  std::string place;
  /// Zero: the interface's own, or at a hub one that is drawn at random.
  ethernet::MacAddress address = {};
};

/// Frames since construction.
struct SegmentCounters {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t unsent_no_room = 0;
  std::uint64_t sleeps = 0;  ///< waits that had to sleep
};

/// All calls come from the thread that constructed it or from its signal handlers, never nested.
/// After construction nothing allocates, locks or throws. When the hub ends, the device falls
/// silent, like a card whose cable is out.
class SegmentDevice {
 public:
  static constexpr std::size_t kBatch = 32;

  /// Throws SetupError.
  explicit SegmentDevice(const SegmentOptions& options);
  ~SegmentDevice();
  SegmentDevice(const SegmentDevice&) = delete;
  SegmentDevice& operator=(const SegmentDevice&) = delete;

  ethernet::MacAddress address() const noexcept { return address_; }
  bool transmit(Bytes header, Bytes first, Bytes second) noexcept;
  std::size_t receive(ethernet::RawSink sink) noexcept;

  /// `until` is a reading of CLOCK_MONOTONIC. Returns early on a frame or on a signal.
  void wait(Instant until) noexcept;

  /// From now on `receive` also hands out frames between other stations, where they come by: at a
  /// hub those that may be part of a page; at an interface what its cable carries, which behind a
  /// switch is little.
  void listen() noexcept;

  /// Signals to hold back while sleeping; a copy is taken.
  void set_sleep_mask(const sigset_t& mask) noexcept;

  int fd() const noexcept;
  const SegmentCounters& counters() const noexcept { return counters_; }

  /// A socket of one of the two kinds; see device.cc.
  class Medium;

 private:
  void sleep(Instant until) noexcept;

  std::unique_ptr<Medium> medium_;
  ethernet::MacAddress address_;
  bool has_sleep_mask_ = false;
  sigset_t sleep_mask_ = {};
  SegmentCounters counters_;
};
static_assert(ethernet::FrameDevice<SegmentDevice>);

/// Empty, or why this process may not use interfaces.
std::string why_no_interfaces();

}  // namespace plurix::segment

// HostedMachine: all that a node needs from Linux, put together in the right order: the heap's
// mappings, the fault source, the socket, the signals, the clock and the protocol's memory. It
// knows no policy; BasicNode (node.h) adds those.
#pragma once

#include <plurix/node.h>
#include <plurix/posix/alternate_stack.h>
#include <plurix/posix/datagram_interrupt.h>
#include <plurix/posix/monotonic_clock.h>
#include <plurix/posix/node_options.h>

#include <cstddef>
#include <memory>
#include <span>

namespace plurix::posix {

/// Zeroed memory that costs nothing until it is touched.
class ZeroedMemory {
 public:
  /// Throws EnvironmentError.
  explicit ZeroedMemory(std::size_t bytes);
  ~ZeroedMemory();
  ZeroedMemory(const ZeroedMemory&) = delete;
  ZeroedMemory& operator=(const ZeroedMemory&) = delete;

  std::span<std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

/// Belongs to the thread that constructs it.
class HostedMachine {
 public:
  /// Throws EnvironmentError, udp::SetupError, and std::invalid_argument for options that make no
  /// sense.
  explicit HostedMachine(const NodeOptions& asked);

  const NodeOptions options;
  const NodeConfig config;  ///< what the options mean to the node

 private:
  SharedRegion region_;

 public:
  HostedFaultSource faults;
  std::unique_ptr<udp::UdpTransport> udp;
  MonotonicClock clock;
  ZeroedMemory storage;

 private:
  AlternateStack stack_;

 public:
  DatagramInterrupt interrupt;

  /// Where to ask for the cluster.
  std::vector<Endpoint> seeds() const;

  /// Throws what a join that came to nothing means to the caller.
  [[noreturn]] void report_failed_join(const Membership& membership) const;
};

}  // namespace plurix::posix

// HostedMachine: all that a node needs from Linux but its network, put together in the right order:
// the heap's mappings, the fault source, the signals, the clock and the protocol's memory. It knows
// no policy; BasicNode (node.h) adds those.
#pragma once

#include <plurix/node.h>
#include <plurix/posix/alternate_stack.h>
#include <plurix/posix/datagram_interrupt.h>
#include <plurix/posix/monotonic_clock.h>
#include <plurix/posix/node_options.h>

#include <csignal>
#include <cstddef>
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
  /// Throws EnvironmentError, and std::invalid_argument for options that make no sense.
  explicit HostedMachine(const NodeOptions& asked);

  const NodeOptions options;
  const NodeConfig config;  ///< what the options mean to the node

 private:
  SharedRegion region_;

 public:
  HostedFaultSource faults;
  MonotonicClock clock;
  ZeroedMemory storage;

 private:
  AlternateStack stack_;

 public:
  DatagramInterrupt interrupt;

  /// Signals to hold back while the network sleeps: those of the thread itself, and ticks, which
  /// would only end the sleep.
  sigset_t sleep_mask() const;

  /// Throws what a join that came to nothing means to the caller. `asked`: who was, in words.
  [[noreturn]] void report_failed_join(const Membership& membership, JoinProgress progress,
                                       const std::string& asked) const;
};

}  // namespace plurix::posix

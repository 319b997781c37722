// The bare yardstick of everything that crosses the network: one connected UDP socket, send and
// receive, no protocol.
#pragma once

#include "support/process.h"

#include <cstddef>
#include <cstdint>

namespace plurix::bench {

/// How a side waits: on one CPU sleeping hands it to the other side at once, on two spinning (for a
/// while, then sleeping) avoids the wake-up. Each is the fastest there.
enum class Waiting { kBlock, kSpin };

inline Waiting waiting_for(Placement placement) {
  return placement == Placement::kOneCpu ? Waiting::kBlock : Waiting::kSpin;
}

class RawSocket {
 public:
  RawSocket();  ///< bound to a free port of 127.0.0.1
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  std::uint16_t port() const { return port_; }
  void connect_to(std::uint16_t port);

  void send(const void* data, std::size_t bytes);
  /// The datagram's length. While it spins it gives the CPU away now and then.
  std::size_t receive(void* data, std::size_t room, Waiting waiting);
  /// Never waits; false if nothing is there.
  bool try_receive(void* data, std::size_t room, std::size_t& bytes);

  int fd() const { return fd_; }

 private:
  bool spin(void* data, std::size_t room, std::size_t& bytes);

  int fd_;
  std::uint16_t port_;
};

}  // namespace plurix::bench

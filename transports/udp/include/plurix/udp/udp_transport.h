// UdpTransport: frames as UDP datagrams over IPv4, one unconnected socket a node.
//
// Frames that are handed over together go through the kernel together where they fit the link
// (UDP_SEGMENT), and are received together as long as many come (UDP_GRO, see HeldFrames): for
// pages that costs a third. Source: udp(7).
//
// `wait` can notice a frame without consuming it: it holds the frame, and the next `poll` hands out
// that one alone, without asking the kernel for more. `wait` first spins (a wake-up across CPUs
// costs far more than a round trip), giving the CPU away between looks, then sleeps.
#pragma once

#include <plurix/concepts/transport.h>
#include <plurix/udp/endpoint.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace plurix::udp {

/// The socket could not be set up; the text says what failed, why, and what would help.
class SetupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class ReceiveKind : std::uint8_t {
  kAuto,     ///< whichever is the better one here
  kPlain,    ///< recvfrom and ppoll
  kIoUring,  ///< multishot receive into a ring of buffers; plain where it is not permitted
};

std::string_view to_string(ReceiveKind kind) noexcept;

struct UdpOptions {
  Endpoint bind = make_endpoint(0x7f000001, 0);  ///< port 0: the kernel chooses one
  ReceiveKind kind = ReceiveKind::kAuto;
  int receive_buffer = 4 << 20;  ///< bytes to ask for; see `receive_buffer()`
  int send_buffer = 4 << 20;
  Duration longest_spin = microseconds(60);  ///< 0: sleep at once
};

/// Frames and bytes since construction.
struct UdpCounters {
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t unsent_no_room = 0;       ///< the kernel had no buffer
  std::uint64_t unsent_unknown_peer = 0;  ///< no such node, or an endpoint that is no address
  std::uint64_t unsent_too_large = 0;     ///< more than kMaxFrame
  std::uint64_t unsent_refused = 0;       ///< any other refusal by the kernel
  std::uint64_t dropped_truncated = 0;    ///< received, more than kMaxFrame
  std::uint64_t dropped_foreign = 0;      ///< received, empty or not from an IPv4 address
  std::uint64_t spins_won = 0;            ///< waits ended by a frame while spinning
  std::uint64_t sent_together = 0;        ///< of `sent`, with others in one system call
  std::uint64_t received_together = 0;    ///< of `received`, likewise
  std::uint64_t sleeps = 0;               ///< waits that had to sleep
  std::uint64_t yields = 0;               ///< times the CPU was offered to others while spinning
};

struct ReceivedFrame;

/// All calls come from the thread that constructed it or from its signal handlers, never nested.
/// After construction nothing allocates, locks or throws.
class UdpTransport {
 public:
  static constexpr std::size_t kBatch = 32;

  /// Throws SetupError: the address cannot be bound, no descriptors, no memory.
  explicit UdpTransport(const UdpOptions& options = {});
  ~UdpTransport();
  UdpTransport(const UdpTransport&) = delete;
  UdpTransport& operator=(const UdpTransport&) = delete;

  void send(NodeId to, Bytes head, Bytes payload) noexcept;
  void send_together(NodeId to, std::span<const FrameParts> frames) noexcept;
  void broadcast(Bytes head, Bytes payload) noexcept;
  void send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept;

  /// Hands out at most kBatch frames, oldest first. The sink may send; it may not poll or wait.
  std::size_t poll(FrameSink sink) noexcept;

  /// `until` is a reading of CLOCK_MONOTONIC. Returns early on a frame or on a signal.
  void wait(Instant until) noexcept;

  void set_peer(NodeId node, const Endpoint& endpoint) noexcept;
  void remove_peer(NodeId node) noexcept;

  /// The address bound to, with the port the kernel chose.
  Endpoint local_endpoint() const noexcept { return local_; }

  /// Known of loopback addresses only: the kernel would let us have the endpoint, so no process
  /// has. Another machine's silence may be the network's.
  bool is_absent(const Endpoint& endpoint) noexcept;

  /// Signals to hold back while sleeping; a copy is taken. Without it the thread's own mask
  /// applies.
  void set_sleep_mask(const sigset_t& mask) noexcept;

  /// The socket, for whoever arranges signals on it.
  int fd() const noexcept { return fd_; }

  const UdpCounters& counters() const noexcept { return counters_; }
  ReceiveKind kind() const noexcept { return kind_; }              ///< never kAuto
  const std::string& reason() const noexcept { return reason_; }   ///< why that kind
  int receive_buffer() const noexcept { return receive_buffer_; }  ///< bytes granted
  int send_buffer() const noexcept { return send_buffer_; }        ///< bytes granted

 private:
  class HeldFrames;  // the plain form of receiving
  class UringInbox;  // the io_uring form
  struct Peers;

  void open_socket(const UdpOptions& options);
  void choose_kind(ReceiveKind asked);
  void transmit(const sockaddr_in& address, Bytes head, Bytes payload) noexcept;
  bool transmit_together(NodeId to, std::span<const FrameParts> frames) noexcept;
  void count_refusal(int error) noexcept;
  std::size_t poll_plain(FrameSink sink) noexcept;
  std::size_t poll_uring(FrameSink sink) noexcept;
  void deliver(FrameSink sink, const ReceivedFrame& frame) noexcept;
  bool frame_ready() noexcept;
  bool spin(Instant begin, Instant until) noexcept;
  bool sleep(Instant until) noexcept;

  int fd_ = -1;
  ReceiveKind kind_ = ReceiveKind::kPlain;
  std::string reason_;
  Endpoint local_;
  int receive_buffer_ = 0;
  int send_buffer_ = 0;
  std::int64_t longest_spin_ns_;
  std::int64_t spin_ns_;  ///< what the next wait will spend: grows when spinning pays, else shrinks
  unsigned crowded_ = 0;  ///< yields to make after each look: others were seen to want this CPU
  unsigned waits_without_spin_ = 0;  ///< the next ones, because a yield was dear
  bool drained_ = false;             ///< the newest poll left nothing behind
  bool has_sleep_mask_ = false;
  sigset_t sleep_mask_ = {};
  UdpCounters counters_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<HeldFrames> held_;
  std::unique_ptr<UringInbox> uring_;
};
static_assert(Transport<UdpTransport> && SendsTogether<UdpTransport>);

}  // namespace plurix::udp

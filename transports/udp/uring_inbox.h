// UringInbox: the io_uring way to receive. One multishot receive fills buffers from a ring of them;
// what has arrived stands in the completion queue, so looking for it is a read of memory. Sending
// stays a plain system call: it has to be one anyway, and this way it is one.
//
// DEFER_TASKRUN keeps the kernel from interrupting the thread: it sets a flag when it has something
// to complete, and completes it when asked. Source: io_uring_setup(2), io_uring_enter(2),
// io_uring_prep_recvmsg_multishot(3). Needs Linux 6.1.
#pragma once

#include "udp/held_frames.h"

#include <plurix/udp/udp_transport.h>

#if PLURIX_HAS_LIBURING
#include <liburing.h>
#endif

namespace plurix::udp {

#if PLURIX_HAS_LIBURING

/// Like the transport: all calls from the thread that opened it, signal handlers included.
class UdpTransport::UringInbox {
 public:
  /// Receives from `fd`, which stays the caller's. Null, and the reason in words, when io_uring or
  /// a feature of it is not to be had.
  static std::unique_ptr<UringInbox> open(int fd, std::string& reason);

  ~UringInbox();
  UringInbox(const UringInbox&) = delete;
  UringInbox& operator=(const UringInbox&) = delete;

  /// Whether `take` would find something; lets the kernel complete what it has if need be.
  bool ready() noexcept;
  /// Moves the next frame into `frame`, whose bytes stay until the next call. False when there is
  /// none.
  bool take(ReceivedFrame& frame) noexcept;
  /// Sleeps until something arrives, at most `for_ns`, with signal mask `mask` if given. True when
  /// something arrived.
  bool sleep(std::int64_t for_ns, const sigset_t* mask) noexcept;

 private:
  UringInbox() = default;
  bool set_up(int fd, std::string& reason);
  bool arm() noexcept;
  void give_back() noexcept;
  std::byte* buffer(unsigned id) const noexcept;

  io_uring ring_ = {};
  bool ring_open_ = false;
  bool armed_ = false;
  int held_ = -1;  ///< the buffer whose frame was handed out last
  io_uring_buf_ring* free_buffers_ = nullptr;
  std::byte* memory_ = nullptr;
  msghdr layout_ = {};  ///< tells the kernel how much room the sender's address gets in a buffer
};

#else

class UdpTransport::UringInbox {
 public:
  static std::unique_ptr<UringInbox> open(int, std::string& reason) {
    reason = "built without liburing";
    return nullptr;
  }
  bool ready() noexcept { return false; }
  bool take(ReceivedFrame&) noexcept { return false; }
  bool sleep(std::int64_t, const sigset_t*) noexcept { return false; }
};

#endif

}  // namespace plurix::udp

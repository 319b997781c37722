// The plain way to receive: one frame at a time into one buffer that stays in cache. Taking several
// with one system call (recvmmsg) was measured and is no faster a frame, while the first of them
// waits for the last.
#pragma once

#include <plurix/udp/udp_transport.h>

#include <netinet/in.h>
#include <sys/socket.h>

namespace plurix::udp {

/// One datagram as the kernel gave it. The bytes lie in a buffer of the transport.
struct ReceivedFrame {
  Bytes bytes;
  sockaddr_in from;
  bool truncated;
};

class UdpTransport::HeldFrame {
 public:
  bool empty() const noexcept { return !filled_; }

  /// Asks the kernel once, without blocking; true when there is a frame to take.
  bool fill(int fd) noexcept {
    socklen_t from_size = sizeof from_;
    from_.sin_family = AF_UNSPEC;
    // MSG_TRUNC: the true length also of what does not fit.
    size_ = ::recvfrom(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC,
                       reinterpret_cast<sockaddr*>(&from_), &from_size);
    filled_ = size_ >= 0;
    return filled_;
  }

  /// Counted as taken before it is used: a frame whose handling restores another context is not
  /// handed out twice.
  ReceivedFrame take() noexcept {
    filled_ = false;
    const auto size = static_cast<std::size_t>(size_);
    const bool truncated = size > kMaxFrame;
    return {Bytes(buffer_.data(), truncated ? kMaxFrame : size), from_, truncated};
  }

 private:
  bool filled_ = false;
  ssize_t size_ = 0;
  sockaddr_in from_ = {};
  std::array<std::byte, kMaxFrame> buffer_;
};

}  // namespace plurix::udp

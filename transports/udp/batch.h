// Where recvmmsg puts frames until they are handed out.
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

class UdpTransport::Batch {
 public:
  Batch() noexcept {
    for (std::size_t i = 0; i < kBatch; ++i) {
      parts_[i] = {buffers_[i].data(), kMaxFrame};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
      messages_[i].msg_hdr.msg_name = &from_[i];
      messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
  }

  bool empty() const noexcept { return next_ == filled_; }

  /// Asks the kernel once, without blocking; true when there is something to take.
  bool fill(int fd) noexcept {
    for (std::size_t i = 0; i < filled_; ++i) {
      messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
    const int received = ::recvmmsg(fd, messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
    next_ = 0;
    filled_ = received > 0 ? static_cast<std::size_t>(received) : 0;
    return filled_ > 0;
  }

  /// Counted as taken before it is used: a frame whose handling restores another context is not
  /// handed out twice.
  ReceivedFrame take() noexcept {
    const auto i = next_++;
    const auto& message = messages_[i];
    return {Bytes(buffers_[i].data(), message.msg_len), from_[i],
            (message.msg_hdr.msg_flags & MSG_TRUNC) != 0};
  }

 private:
  std::size_t next_ = 0;
  std::size_t filled_ = 0;
  std::array<mmsghdr, kBatch> messages_ = {};
  std::array<iovec, kBatch> parts_ = {};
  std::array<sockaddr_in, kBatch> from_ = {};
  std::array<std::array<std::byte, kMaxFrame>, kBatch> buffers_;
};

}  // namespace plurix::udp

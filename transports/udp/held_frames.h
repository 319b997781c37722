// The plain way to receive: what one system call gives into one buffer that stays in cache. Taking
// several datagrams with one call (recvmmsg) was measured and is no faster a frame, while the first
// of them waits for the last; datagrams that were sent together and stay together on the way
// (UDP_GRO) are.
#pragma once

#include <plurix/udp/udp_transport.h>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <algorithm>
#include <cstring>

namespace plurix::udp {

/// One datagram as the kernel gave it. The bytes lie in a buffer of the transport.
struct ReceivedFrame {
  Bytes bytes;
  sockaddr_in from;
  bool truncated;
  bool together;  ///< it came with others
};

class UdpTransport::HeldFrames {
 public:
  bool empty() const noexcept { return !filled_; }

  /// Asks the kernel once, without blocking; true when there is a frame to take.
  bool fill(int fd) noexcept {
    from_.sin_family = AF_UNSPEC;
    const auto size = form_ == Form::kAlone ? receive_one(fd) : receive_some(fd);
    filled_ = size >= 0;
    if (!filled_ && form_ == Form::kLeaving) form_ = Form::kAlone;
    next_ = 0;
    size_ = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
    return filled_;
  }

  /// Many come: those that are together shall stay so. Until few come for a while, because for one
  /// frame alone it costs 60 ns.
  void expect_many(int fd) noexcept {
    alone_in_a_row_ = 0;
    if (form_ == Form::kTogether) return;
    if (set_together(fd, 1)) form_ = Form::kTogether;
  }

  /// Counted as taken before it is used: a frame whose handling restores another context is not
  /// handed out twice.
  ReceivedFrame take() noexcept {
    const auto* begin = buffer_.data() + next_;
    const auto size = std::min(segment_, size_ - next_);
    next_ += size;
    filled_ = next_ < size_;
    const bool truncated = size > kMaxFrame;
    return {Bytes(begin, truncated ? kMaxFrame : size), from_, truncated, segment_ < size_};
  }

 private:
  enum class Form : std::uint8_t {
    kAlone,
    kTogether,
    kLeaving,  ///< some that are together may still stand in the queue
  };
  static constexpr unsigned kFew = 64;

  static bool set_together(int fd, int on) noexcept {
    return ::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0;
  }

  ssize_t receive_one(int fd) noexcept {
    socklen_t from_size = sizeof from_;
    const auto size = ::recvfrom(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from_), &from_size);
    segment_ = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
    return size;
  }

  ssize_t receive_some(int fd) noexcept {
    iovec room = {buffer_.data(), buffer_.size()};
    alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(int))];
    msghdr message = {};
    message.msg_name = &from_;
    message.msg_namelen = sizeof from_;
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto size = ::recvmsg(fd, &message, MSG_DONTWAIT);
    segment_ = size < 0 ? 0 : segment_of(message, static_cast<std::size_t>(size));
    alone_in_a_row_ = segment_ < static_cast<std::size_t>(size) ? 0 : alone_in_a_row_ + 1;
    if (alone_in_a_row_ > kFew && form_ == Form::kTogether) {
      (void)set_together(fd, 0);
      form_ = Form::kLeaving;
    }
    return size;
  }

  /// Bytes of each frame in a datagram of `size`.
  static std::size_t segment_of(msghdr& message, std::size_t size) noexcept {
    const auto* option = CMSG_FIRSTHDR(&message);
    if (option == nullptr || option->cmsg_level != IPPROTO_UDP || option->cmsg_type != UDP_GRO) {
      return size;
    }
    int bytes = 0;
    std::memcpy(&bytes, CMSG_DATA(option), sizeof bytes);
    return bytes > 0 ? std::min(size, static_cast<std::size_t>(bytes)) : size;
  }

  bool filled_ = false;
  std::size_t next_ = 0;  ///< what is before it has been taken
  std::size_t size_ = 0;
  std::size_t segment_ = 0;  ///< bytes of each frame; the last one may be shorter
  sockaddr_in from_ = {};
  Form form_ = Form::kAlone;
  unsigned alone_in_a_row_ = 0;
  std::array<std::byte, 65'536> buffer_;
};

}  // namespace plurix::udp

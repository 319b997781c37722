#include "support/raw_udp.h"
#include "support/samples.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>
#include <stdexcept>

namespace plurix::bench {
namespace {

constexpr unsigned kLooksPerYield = 8;
constexpr Duration kLongestSpin = microseconds(100);

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

RawSocket::RawSocket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), port_(0) {
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (fd_ < 0 || ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no UDP socket on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  const int buffer = 4 << 20;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
}

RawSocket::~RawSocket() { ::close(fd_); }

void RawSocket::connect_to(std::uint16_t port) {
  const auto address = loopback(port);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("a UDP socket refuses to connect");
  }
}

void RawSocket::send(const void* data, std::size_t bytes) {
  if (::send(fd_, data, bytes, MSG_NOSIGNAL) < 0) throw std::runtime_error("send failed");
}

std::size_t RawSocket::receive(void* data, std::size_t room, Waiting waiting) {
  std::size_t spun = 0;
  if (waiting == Waiting::kSpin && spin(data, room, spun)) return spun;
  const auto bytes = ::recv(fd_, data, room, 0);
  if (bytes < 0) throw std::runtime_error("recv failed");
  return static_cast<std::size_t>(bytes);
}

bool RawSocket::try_receive(void* data, std::size_t room, std::size_t& bytes) {
  const auto got = ::recv(fd_, data, room, MSG_DONTWAIT);
  if (got < 0) return false;
  bytes = static_cast<std::size_t>(got);
  return true;
}

bool RawSocket::spin(void* data, std::size_t room, std::size_t& bytes) {
  const auto end = now() + kLongestSpin;
  for (unsigned looks = 1;; ++looks) {
    if (try_receive(data, room, bytes)) return true;
    if (looks % kLooksPerYield != 0) continue;
    if (now() >= end) return false;
    ::sched_yield();
  }
}

}  // namespace plurix::bench

#include "hostile_sprayer.h"

#include <plurix/udp/endpoint.h>
#include <plurix/wire/frame.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

namespace plurix::tool {
namespace {

using wire::FrameHeader;

int open_socket() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in home = {};
  (void)udp::to_sockaddr(udp::make_endpoint(0x7f000001, 0), home);
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&home), sizeof home) != 0) {
    throw std::system_error(errno, std::generic_category(), "no socket to spray from");
  }
  return fd;
}

std::string address_of(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return udp::format_endpoint(udp::from_sockaddr(address));
}

/// Makes the checksum right again; true if the frame has a header and fits its length.
void seal(std::vector<std::byte>& frame) {
  if (frame.size() < sizeof(FrameHeader)) return;
  FrameHeader header;
  std::memcpy(&header, frame.data(), sizeof header);
  const Bytes body{frame.data() + sizeof header, frame.size() - sizeof header};
  wire::finish_frame(header, body, {});
  std::memcpy(frame.data(), &header, sizeof header);
}

}  // namespace

HostileSprayer::HostileSprayer(std::uint64_t seed) : prng_(seed) {
  for (auto& fd : sockets_) fd = open_socket();
  listener_ = address_of(sockets_[0]);
}

HostileSprayer::~HostileSprayer() {
  for (const int fd : sockets_) ::close(fd);
}

void HostileSprayer::aim_at(const std::vector<std::string>& addresses) {
  targets_.clear();
  for (const auto& address : addresses) {
    if (const auto endpoint = udp::parse_endpoint(address)) targets_.push_back(*endpoint);
  }
}

void HostileSprayer::spray(std::size_t count) {
  listen();
  for (std::size_t i = 0; i < count && !targets_.empty(); ++i) send_one();
}

void HostileSprayer::listen() {
  std::byte bytes[kMaxFrame];
  for (int i = 0; i < 64; ++i) {
    const auto size = ::recv(sockets_[0], bytes, sizeof bytes, 0);
    if (size <= 0) return;
    Frame frame(bytes, bytes + size);
    // What we have sent ourselves comes back, too; its commit time may not be a real one.
    wire::FrameView view;
    if (wire::check_frame(frame, view) != wire::DropReason::kNone) continue;
    ++counters_.recorded;
    if (kept_.size() < kKept) {
      kept_.push_back(std::move(frame));
    } else {
      kept_[prng_.below(kKept)] = std::move(frame);
    }
  }
}

void HostileSprayer::send_one() {
  auto kind = kept_.empty() ? 0 : prng_.below(6);
  Frame frame = kept_.empty() ? Frame() : kept_[prng_.below(kept_.size())];
  std::uint64_t HostileCounters::* const counts[] = {
      &HostileCounters::noise,  &HostileCounters::truncated, &HostileCounters::altered,
      &HostileCounters::forged, &HostileCounters::foreign,   &HostileCounters::replayed};
  if (kind == 0) frame = make_noise();
  if (kind == 1) frame = cut(std::move(frame));
  if (kind == 2) frame = alter(std::move(frame));
  if (kind == 3) frame = forge(std::move(frame));
  if (kind == 4) frame = move_to_another_cluster(std::move(frame));
  sockaddr_in target;
  (void)udp::to_sockaddr(targets_[prng_.below(targets_.size())], target);
  const auto sent = ::sendto(sockets_[prng_.below(kSockets)], frame.data(), frame.size(),
                             MSG_DONTWAIT | MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&target), sizeof target);
  if (sent >= 0) ++(counters_.*counts[kind]);
}

HostileSprayer::Frame HostileSprayer::make_noise() {
  // Now and then more than any frame may have.
  Frame noise(prng_.below(prng_.below(8) == 0 ? 2 * kMaxFrame : 200));
  for (auto& byte : noise) byte = static_cast<std::byte>(prng_.next());
  return noise;
}

HostileSprayer::Frame HostileSprayer::cut(Frame frame) {
  frame.resize(prng_.below(frame.size()));
  if (prng_.below(2) == 0) seal(frame);
  return frame;
}

HostileSprayer::Frame HostileSprayer::alter(Frame frame) {
  for (auto changes = 1 + prng_.below(4); changes > 0; --changes) {
    frame[prng_.below(frame.size())] ^= static_cast<std::byte>(1 + prng_.below(255));
  }
  return frame;
}

HostileSprayer::Frame HostileSprayer::forge(Frame frame) {
  frame = alter(std::move(frame));
  seal(frame);
  return frame;
}

HostileSprayer::Frame HostileSprayer::move_to_another_cluster(Frame frame) {
  const auto at = offsetof(FrameHeader, cluster) + prng_.below(sizeof(ClusterId));
  frame[at] ^= static_cast<std::byte>(1 + prng_.below(255));
  seal(frame);
  return frame;
}

}  // namespace plurix::tool

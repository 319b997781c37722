// A packet socket on a network interface.
#include "segment/medium.h"

#include <plurix/ethernet/frame.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace plurix::segment {
namespace {

constexpr int kBufferBytes = 4 << 20;
constexpr std::size_t kMostBytes = 2048;

// Frames for an address that is not the interface's own are seen in this mode only. It ends with
// the socket.
void hear_everything(int fd, int interface) {
  packet_mreq membership = {};
  membership.mr_ifindex = interface;
  membership.mr_type = PACKET_MR_PROMISC;
  ::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership);
}

class InterfaceMedium final : public SegmentDevice::Medium {
 public:
  InterfaceMedium(int fd, int interface) noexcept : Medium(fd), interface_(interface) {}

  bool put(Bytes header, Bytes first, Bytes second) noexcept override {
    static constexpr std::byte kZeros[ethernet::kShortestFrame] = {};
    const auto size = header.size() + first.size() + second.size();
    const Bytes padding{kZeros,
                        size < ethernet::kShortestFrame ? ethernet::kShortestFrame - size : 0};
    iovec parts[] = {part(header), part(first), part(second), part(padding)};
    msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = 4;
    return ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  }

  std::optional<Bytes> take() noexcept override {
    if (!ready()) return {};
    const Bytes frame{held_, held_size_};
    held_size_ = 0;
    return frame;
  }

  bool ready() noexcept override {
    while (held_size_ == 0) {
      const auto got = ::recv(fd_, held_, sizeof held_, MSG_DONTWAIT | MSG_TRUNC);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      if (static_cast<std::size_t>(got) <= sizeof held_) held_size_ = static_cast<std::size_t>(got);
    }
    return true;
  }

  short events() const noexcept override { return POLLIN; }

  void listen(const ethernet::MacAddress&) noexcept override { hear_everything(fd_, interface_); }

 private:
  static iovec part(Bytes bytes) noexcept {
    return {const_cast<std::byte*>(bytes.data()), bytes.size()};
  }

  const int interface_;
  std::byte held_[kMostBytes];
  std::size_t held_size_ = 0;
};

ethernet::MacAddress address_of(int fd, const std::string& name) {
  ifreq request = {};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(fd, SIOCGIFHWADDR, &request) != 0) {
    fail("no network interface " + name, fd, "ip link lists them");
  }
  ethernet::MacAddress address;
  std::memcpy(address.bytes, request.ifr_hwaddr.sa_data, sizeof address.bytes);
  return address;
}

}  // namespace

std::unique_ptr<SegmentDevice::Medium> SegmentDevice::Medium::bind_to_interface(
    const std::string& name, ethernet::MacAddress& address) {
  const int fd =
      ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ethernet::kEtherType));
  if (fd < 0) fail("no packet socket", fd, "It needs root or the capability CAP_NET_RAW");
  const auto own = address_of(fd, name);
  sockaddr_ll place = {};
  place.sll_family = AF_PACKET;
  place.sll_protocol = htons(ethernet::kEtherType);
  place.sll_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) {
    fail("cannot bind to " + name, fd, "Look whether it is up: ip link show " + name);
  }
  const int size = kBufferBytes;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (address == ethernet::MacAddress{}) address = own;
  if (address != own) hear_everything(fd, place.sll_ifindex);
  return std::make_unique<InterfaceMedium>(fd, place.sll_ifindex);
}

std::string why_no_interfaces() {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ethernet::kEtherType));
  if (fd < 0) return std::string("no packet socket: ") + std::strerror(errno);
  ::close(fd);
  return {};
}

}  // namespace plurix::segment

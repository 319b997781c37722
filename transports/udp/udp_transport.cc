#include "udp/batch.h"
#include "udp/uring_inbox.h"

#include <plurix/base/bounded_vector.h>
#include <plurix/udp/udp_transport.h>

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace plurix::udp {
namespace {

constexpr std::int64_t kShortestSpinNs = 4'000;

std::int64_t now_ns() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

std::string errno_text(int error) {
  return std::string(std::strerror(error)) + " (errno " + std::to_string(error) + ")";
}

[[noreturn]] void fail(const std::string& what, int fd, const std::string& what_to_do) {
  const int error = errno;
  if (fd >= 0) ::close(fd);
  throw SetupError(what + ": " + errno_text(error) + ". " + what_to_do);
}

// Asks past the administrator's limit first (that takes a privilege), then within it. Returns what
// was granted; the kernel counts its own overhead in and doubles the value it is given.
int grow_buffer(int fd, int forced, int plain, int bytes) {
  if (::setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0) {
    ::setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
  }
  int granted = 0;
  socklen_t size = sizeof granted;
  ::getsockopt(fd, SOL_SOCKET, plain, &granted, &size);
  return granted / 2;
}

iovec part(Bytes bytes) {
  // sendmsg only reads; the type it shares with recvmsg cannot say so.
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string_view to_string(ReceiveKind kind) noexcept {
  switch (kind) {
    case ReceiveKind::kAuto:
      return "auto";
    case ReceiveKind::kPlain:
      return "plain";
    case ReceiveKind::kIoUring:
      return "io_uring";
  }
  return "unknown";
}

// Addresses ready for the kernel, and the members in the order they came, for broadcast.
struct UdpTransport::Peers {
  std::array<sockaddr_in, kMaxNodes> address = {};
  BoundedVector<NodeId, kMaxNodes> members;

  bool has(NodeId node) const { return node < kMaxNodes && address[node].sin_family == AF_INET; }
};

UdpTransport::UdpTransport(const UdpOptions& options)
    : longest_spin_ns_(options.longest_spin.ns),
      spin_ns_(options.longest_spin.ns),
      peers_(std::make_unique<Peers>()),
      batch_(std::make_unique<Batch>()) {
  open_socket(options);
  choose_kind(options.kind);
}

UdpTransport::~UdpTransport() {
  uring_.reset();
  ::close(fd_);
}

void UdpTransport::open_socket(const UdpOptions& options) {
  sockaddr_in address = {};
  if (!to_sockaddr(options.bind, address)) throw SetupError("the address to bind is no address");
  fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail("no socket", fd_, "Look at the limit of open files");
  if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot bind " + format_endpoint(options.bind), fd_,
         "Choose another port or an address of this machine");
  }
  receive_buffer_ = grow_buffer(fd_, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer);
  send_buffer_ = grow_buffer(fd_, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer);
  // A page reply is larger than an Ethernet frame: IP may cut it.
  const int may_fragment = IP_PMTUDISC_DONT;
  ::setsockopt(fd_, IPPROTO_IP, IP_MTU_DISCOVER, &may_fragment, sizeof may_fragment);
  socklen_t size = sizeof address;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  local_ = from_sockaddr(address);
}

void UdpTransport::choose_kind(ReceiveKind asked) {
  if (asked == ReceiveKind::kPlain) {
    reason_ = "asked for";
    return;
  }
  if (asked == ReceiveKind::kAuto) {
    reason_ = "a plain socket answers one request and one reply faster";
    return;
  }
  uring_ = UringInbox::open(fd_, reason_);
  if (uring_ != nullptr) kind_ = ReceiveKind::kIoUring;
}

void UdpTransport::set_peer(NodeId node, const Endpoint& endpoint) noexcept {
  remove_peer(node);
  if (node >= kMaxNodes || !to_sockaddr(endpoint, peers_->address[node])) return;
  PLURIX_ASSERT(peers_->members.push(node));
}

void UdpTransport::remove_peer(NodeId node) noexcept {
  if (!peers_->has(node)) return;
  peers_->address[node] = {};
  auto& members = peers_->members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i] == node) return members.erase(i);
  }
}

void UdpTransport::set_sleep_mask(const sigset_t& mask) noexcept {
  sleep_mask_ = mask;
  has_sleep_mask_ = true;
}

void UdpTransport::send(NodeId to, Bytes head, Bytes payload) noexcept {
  if (!peers_->has(to)) {
    ++counters_.unsent_unknown_peer;
    return;
  }
  transmit(&peers_->address[to], head, payload);
}

void UdpTransport::send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
  sockaddr_in address;
  if (!to_sockaddr(endpoint, address)) {
    ++counters_.unsent_unknown_peer;
    return;
  }
  transmit(&address, head, payload);
}

void UdpTransport::broadcast(Bytes head, Bytes payload) noexcept {
  for (const NodeId node : peers_->members) transmit(&peers_->address[node], head, payload);
}

void UdpTransport::transmit(const sockaddr_in* address, Bytes head, Bytes payload) noexcept {
  if (head.size() + payload.size() > kMaxFrame) {
    ++counters_.unsent_too_large;
    return;
  }
  iovec parts[2] = {part(head), part(payload)};
  msghdr message = {};
  message.msg_name = const_cast<sockaddr_in*>(address);
  message.msg_namelen = sizeof *address;
  message.msg_iov = parts;
  message.msg_iovlen = payload.empty() ? 1 : 2;
  const auto sent = ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    ++counters_.sent;
    counters_.sent_bytes += static_cast<std::uint64_t>(sent);
  } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
    ++counters_.unsent_no_room;
  } else {
    ++counters_.unsent_refused;
  }
}

std::size_t UdpTransport::poll(FrameSink sink) noexcept {
  return uring_ != nullptr ? poll_uring(sink) : poll_plain(sink);
}

std::size_t UdpTransport::poll_plain(FrameSink sink) noexcept {
  if (batch_->empty()) batch_->fill(fd_);
  std::size_t handed_out = 0;
  for (; !batch_->empty(); ++handed_out) deliver(sink, batch_->take());
  return handed_out;
}

std::size_t UdpTransport::poll_uring(FrameSink sink) noexcept {
  std::size_t handed_out = 0;
  for (ReceivedFrame frame; handed_out < kBatch && uring_->take(frame); ++handed_out) {
    deliver(sink, frame);
  }
  return handed_out;
}

void UdpTransport::deliver(FrameSink sink, const ReceivedFrame& frame) noexcept {
  if (frame.truncated) {
    ++counters_.dropped_truncated;
  } else if (frame.bytes.empty() || frame.from.sin_family != AF_INET) {
    ++counters_.dropped_foreign;
  } else {
    ++counters_.received;
    counters_.received_bytes += frame.bytes.size();
    sink(frame.bytes, from_sockaddr(frame.from));
  }
}

bool UdpTransport::frame_ready() noexcept {
  if (uring_ != nullptr) return uring_->ready();
  return !batch_->empty() || batch_->fill(fd_);
}

void UdpTransport::wait(Instant until) noexcept {
  if (frame_ready()) return;
  const auto begin = now_ns();
  const auto spin_end = std::min(until.ns, begin + spin_ns_);
  while (now_ns() < spin_end) {
    // Whoever shares this CPU may be the one who has to answer.
    ::sched_yield();
    if (!frame_ready()) continue;
    ++counters_.spins_won;
    spin_ns_ = longest_spin_ns_;
    return;
  }
  const auto remaining = until.ns - now_ns();
  if (remaining <= 0) return;
  ++counters_.sleeps;
  const bool frame = sleep(remaining);
  // A frame soon after falling asleep: longer spinning would have been cheaper than the wake-up.
  const bool too_early = frame && now_ns() - begin < 4 * longest_spin_ns_;
  spin_ns_ = too_early ? std::min(longest_spin_ns_, spin_ns_ * 2)
                       : std::max(std::min(kShortestSpinNs, longest_spin_ns_), spin_ns_ / 2);
}

bool UdpTransport::sleep(std::int64_t for_ns) noexcept {
  const sigset_t* mask = has_sleep_mask_ ? &sleep_mask_ : nullptr;
  if (uring_ != nullptr) return uring_->sleep(for_ns, mask);
  pollfd readable = {fd_, POLLIN, 0};
  const timespec timeout = {for_ns / 1'000'000'000, for_ns % 1'000'000'000};
  return ::ppoll(&readable, 1, &timeout, mask) > 0;
}

}  // namespace plurix::udp

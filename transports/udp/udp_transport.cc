#include "udp/held_frames.h"
#include "udp/uring_inbox.h"

#include <plurix/base/bounded_vector.h>
#include <plurix/udp/udp_transport.h>

#include <netinet/in.h>
#include <netinet/udp.h>
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
constexpr std::size_t kMany = 4;  // frames in one poll
constexpr unsigned kLooksPerYield = 8;
// A yield and a look that took no longer found nobody who wanted the CPU.
constexpr std::int64_t kLonelyYieldNs = 1'500;
constexpr unsigned kCrowdedYields = 32;  // the scheduler does not always heed a yield at once
// Somebody computed meanwhile, and will as long the next time: falling asleep gives the CPU away as
// well, and who wakes comes before him.
constexpr std::int64_t kDearYieldNs = 500'000;
constexpr unsigned kWaitsWithoutSpin = 64;

Instant now() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return {std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
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

// The message refers to both arguments.
msghdr message_to(const sockaddr_in& address, iovec (&parts)[2]) {
  msghdr message = {};
  message.msg_name = const_cast<sockaddr_in*>(&address);
  message.msg_namelen = sizeof address;
  message.msg_iov = parts;
  message.msg_iovlen = parts[1].iov_len == 0 ? 1 : 2;
  return message;
}

// One part needs no message header for the kernel to copy in: 90 of 1,300 ns.
ssize_t transmit_parts(int fd, const sockaddr_in& address, Bytes head, Bytes payload) {
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (payload.empty()) {
    return ::sendto(fd, head.data(), head.size(), kFlags,
                    reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  iovec parts[2] = {part(head), part(payload)};
  const msghdr message = message_to(address, parts);
  return ::sendmsg(fd, &message, kFlags);
}

// What the kernel takes as one: the payload of the largest IPv4 packet.
constexpr std::size_t kMostBytesTogether = 65'535 - 20 - 8;
constexpr std::size_t kMostFramesTogether = 16;

// Frames of `size` bytes each, one behind the other; the kernel cuts them apart again.
ssize_t transmit_cut(int fd, const sockaddr_in& address, std::span<const FrameParts> frames,
                     std::size_t size) {
  iovec parts[2 * kMostFramesTogether];
  for (std::size_t i = 0; i < frames.size(); ++i) {
    parts[2 * i] = part(frames[i].head);
    parts[2 * i + 1] = part(frames[i].payload);
  }
  const auto segment = static_cast<std::uint16_t>(size);
  alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof segment)] = {};
  msghdr message = {};
  message.msg_name = const_cast<sockaddr_in*>(&address);
  message.msg_namelen = sizeof address;
  message.msg_iov = parts;
  message.msg_iovlen = 2 * frames.size();
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto* option = CMSG_FIRSTHDR(&message);
  option->cmsg_level = IPPROTO_UDP;
  option->cmsg_type = UDP_SEGMENT;
  option->cmsg_len = CMSG_LEN(sizeof segment);
  std::memcpy(CMSG_DATA(option), &segment, sizeof segment);
  return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool is_loopback(const sockaddr_in& address) { return ntohl(address.sin_addr.s_addr) >> 24 == 127; }

// Whoever looks whether a process is absent has its endpoint for a moment (is_absent).
constexpr int kBindTries = 20;
constexpr timespec kBindPause{0, 1'000'000};

bool bind_soon(int fd, const sockaddr_in& address) {
  for (int tries = 1;; ++tries) {
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    if (errno != EADDRINUSE || tries == kBindTries) return false;
    ::nanosleep(&kBindPause, nullptr);
  }
}

bool too_large(Bytes head, Bytes payload) { return head.size() + payload.size() > kMaxFrame; }

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

// Addresses ready for the kernel, and the members in the order they came with a message each, for
// broadcast: one system call for all saves 0.1 µs a peer.
struct UdpTransport::Peers {
  std::array<sockaddr_in, kMaxNodes> address = {};
  BoundedVector<NodeId, kMaxNodes> members;
  std::array<mmsghdr, kMaxNodes> messages = {};
  // The way there is too narrow for a frame in one packet, so the kernel takes no two together.
  std::array<bool, kMaxNodes> one_by_one = {};

  bool has(NodeId node) const { return node < kMaxNodes && address[node].sin_family == AF_INET; }
};

UdpTransport::UdpTransport(const UdpOptions& options)
    : longest_spin_ns_(options.longest_spin.ns),
      spin_ns_(options.longest_spin.ns),
      peers_(std::make_unique<Peers>()),
      held_(std::make_unique<HeldFrames>()) {
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
  if (!bind_soon(fd_, address)) {
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

bool UdpTransport::is_absent(const Endpoint& endpoint) noexcept {
  sockaddr_in address;
  if (!to_sockaddr(endpoint, address) || !is_loopback(address)) return false;
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool nobody = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return nobody;
}

void UdpTransport::set_peer(NodeId node, const Endpoint& endpoint) noexcept {
  remove_peer(node);
  if (node >= kMaxNodes || !to_sockaddr(endpoint, peers_->address[node])) return;
  peers_->one_by_one[node] = false;
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
  transmit(peers_->address[to], head, payload);
}

void UdpTransport::send_to(const Endpoint& endpoint, Bytes head, Bytes payload) noexcept {
  sockaddr_in address;
  if (!to_sockaddr(endpoint, address)) {
    ++counters_.unsent_unknown_peer;
    return;
  }
  transmit(address, head, payload);
}

void UdpTransport::send_together(NodeId to, std::span<const FrameParts> frames) noexcept {
  const auto size = frames.empty() ? 0 : frames.front().size();
  const auto fit =
      std::min(kMostFramesTogether, kMostBytesTogether / std::max<std::size_t>(size, 1));
  while (!frames.empty()) {
    const auto now = frames.first(std::min(fit, frames.size()));
    frames = frames.subspan(now.size());
    if (transmit_together(to, now)) continue;
    for (const auto& frame : now) send(to, frame.head, frame.payload);
  }
}

// False when they have to be sent one by one.
bool UdpTransport::transmit_together(NodeId to, std::span<const FrameParts> frames) noexcept {
  const auto size = frames.front().size();
  if (frames.size() < 2 || size > kMaxFrame || !peers_->has(to) || peers_->one_by_one[to]) {
    return false;
  }
  if (transmit_cut(fd_, peers_->address[to], frames, size) < 0) {
    const bool no_room = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
    if (no_room) counters_.unsent_no_room += frames.size();
    peers_->one_by_one[to] = !no_room;
    return no_room;
  }
  counters_.sent += frames.size();
  counters_.sent_together += frames.size();
  counters_.sent_bytes += frames.size() * size;
  return true;
}

void UdpTransport::broadcast(Bytes head, Bytes payload) noexcept {
  iovec parts[2] = {part(head), part(payload)};
  const auto count = peers_->members.size();
  if (too_large(head, payload)) {
    counters_.unsent_too_large += count;
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    peers_->messages[i].msg_hdr = message_to(peers_->address[peers_->members[i]], parts);
  }
  for (std::size_t next = 0; next < count;) {
    const int sent = ::sendmmsg(fd_, &peers_->messages[next], static_cast<unsigned>(count - next),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      const auto done = static_cast<std::size_t>(sent);
      counters_.sent += done;
      counters_.sent_bytes += done * (head.size() + payload.size());
      next += done;
    } else {
      count_refusal(errno);
      ++next;  // the others still get theirs
    }
  }
}

void UdpTransport::transmit(const sockaddr_in& address, Bytes head, Bytes payload) noexcept {
  if (too_large(head, payload)) {
    ++counters_.unsent_too_large;
    return;
  }
  if (transmit_parts(fd_, address, head, payload) < 0) {
    count_refusal(errno);
    return;
  }
  ++counters_.sent;
  counters_.sent_bytes += head.size() + payload.size();
}

void UdpTransport::count_refusal(int error) noexcept {
  const bool no_room = error == EAGAIN || error == ENOBUFS || error == ENOMEM;
  ++(no_room ? counters_.unsent_no_room : counters_.unsent_refused);
}

std::size_t UdpTransport::poll(FrameSink sink) noexcept {
  return uring_ != nullptr ? poll_uring(sink) : poll_plain(sink);
}

std::size_t UdpTransport::poll_plain(FrameSink sink) noexcept {
  // The frame that ended a wait is mostly the one waited for. Whether it was, the caller shall see
  // before it pays for a look in vain; if not, it waits again, and that looks.
  drained_ = false;
  const bool waited = !held_->empty();
  std::size_t handed_out = 0;
  for (; handed_out < kBatch; ++handed_out) {
    if (held_->empty() && (waited || !held_->fill(fd_))) break;
    deliver(sink, held_->take());
  }
  drained_ = !waited && handed_out < kBatch;
  if (handed_out >= kMany) held_->expect_many(fd_);
  return handed_out;
}

std::size_t UdpTransport::poll_uring(FrameSink sink) noexcept {
  std::size_t handed_out = 0;
  for (ReceivedFrame frame; handed_out < kBatch && uring_->take(frame); ++handed_out) {
    deliver(sink, frame);
  }
  drained_ = handed_out < kBatch;
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
    if (frame.together) ++counters_.received_together;
    sink(frame.bytes, from_sockaddr(frame.from));
  }
}

bool UdpTransport::frame_ready() noexcept {
  if (uring_ != nullptr) return uring_->ready();
  return !held_->empty() || held_->fill(fd_);
}

void UdpTransport::wait(Instant until) noexcept {
  // After a poll in vain no look first: both ways of waiting look themselves. If there may be more,
  // they would cost a yield a frame.
  if (!held_->empty() || (!drained_ && frame_ready())) return;
  const auto begin = now();
  if (waits_without_spin_ > 0) {
    --waits_without_spin_;
  } else if (spin(begin, earlier(until, begin + Duration{spin_ns_}))) {
    ++counters_.spins_won;
    spin_ns_ = longest_spin_ns_;
    return;
  }
  if (now() >= until) return;
  ++counters_.sleeps;
  const bool frame = sleep(until);
  // A frame soon after falling asleep: longer spinning would have been cheaper than the wake-up.
  const bool too_early = frame && (now() - begin).ns < 4 * longest_spin_ns_;
  spin_ns_ = too_early ? std::min(longest_spin_ns_, spin_ns_ * 2)
                       : std::max(std::min(kShortestSpinNs, longest_spin_ns_), spin_ns_ / 2);
}

// Looks and, now and then, gives the CPU away: whoever shares it may be the one who has to answer.
// True when a frame came.
bool UdpTransport::spin(Instant begin, Instant until) noexcept {
  unsigned looks = 0;
  for (auto last = begin; last < until;) {
    const bool yielded = crowded_ > 0 || ++looks % kLooksPerYield == 0;
    if (yielded) {
      ++counters_.yields;
      ::sched_yield();
    }
    const bool ready = frame_ready();
    const auto next = now();
    if (yielded && (next - last).ns > kDearYieldNs) waits_without_spin_ = kWaitsWithoutSpin;
    if (ready) return true;
    if (yielded && (next - last).ns > kLonelyYieldNs) {
      crowded_ = kCrowdedYields;
    } else if (yielded && crowded_ > 0) {
      --crowded_;
    }
    last = next;
  }
  return false;
}

bool UdpTransport::sleep(Instant until) noexcept {
  const sigset_t* mask = has_sleep_mask_ ? &sleep_mask_ : nullptr;
  const auto for_ns = std::max<std::int64_t>(0, (until - now()).ns);
  if (uring_ != nullptr) return uring_->sleep(for_ns, mask);
  pollfd readable = {fd_, POLLIN, 0};
  const timespec timeout = {for_ns / 1'000'000'000, for_ns % 1'000'000'000};
  return ::ppoll(&readable, 1, &timeout, mask) > 0;
}

}  // namespace plurix::udp

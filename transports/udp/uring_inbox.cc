#include "udp/uring_inbox.h"

#if PLURIX_HAS_LIBURING

#include <sys/mman.h>
#include <cerrno>
#include <cstring>

namespace plurix::udp {
namespace {

constexpr unsigned kBuffers = 256;  // a power of two; more frames than that wait in the socket
constexpr unsigned kCompletions = 2 * kBuffers;
constexpr int kGroup = 0;
constexpr std::size_t kBufferSize = sizeof(io_uring_recvmsg_out) + sizeof(sockaddr_in) + kMaxFrame;
constexpr std::size_t kRingBytes = (kBuffers * sizeof(io_uring_buf) + 4095) & ~std::size_t{4095};
constexpr std::size_t kMemoryBytes = kRingBytes + kBuffers * kBufferSize;
constexpr std::size_t kKernelSigsetBytes = 8;  // what the kernel reads of a sigset_t

std::string words(const char* what, int error) {
  return std::string(what) + ": " + std::strerror(error) + " (errno " + std::to_string(error) + ")";
}

}  // namespace

std::unique_ptr<UdpTransport::UringInbox> UdpTransport::UringInbox::open(int fd,
                                                                         std::string& reason) {
  std::unique_ptr<UringInbox> inbox(new UringInbox);
  if (!inbox->set_up(fd, reason)) return nullptr;
  reason = "io_uring works here";
  return inbox;
}

UdpTransport::UringInbox::~UringInbox() {
  if (ring_open_) ::io_uring_queue_exit(&ring_);
  if (memory_ != nullptr) ::munmap(memory_, kMemoryBytes);
}

bool UdpTransport::UringInbox::set_up(int fd, std::string& reason) {
  io_uring_params parameters = {};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                     IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE;
  parameters.cq_entries = kCompletions;
  if (const int result = ::io_uring_queue_init_params(4, &ring_, &parameters); result < 0) {
    reason = words("io_uring is not permitted, or older than Linux 6.1", -result);
    return false;
  }
  ring_open_ = true;
  if (const int result = ::io_uring_register_files(&ring_, &fd, 1); result < 0) {
    reason = words("io_uring does not take the socket", -result);
    return false;
  }
  void* memory =
      ::mmap(nullptr, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    reason = words("no memory for receive buffers", errno);
    return false;
  }
  memory_ = static_cast<std::byte*>(memory);
  free_buffers_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = kBuffers;
  registration.bgid = kGroup;
  if (const int result = ::io_uring_register_buf_ring(&ring_, &registration, 0); result < 0) {
    reason = words("io_uring has no rings of buffers", -result);
    return false;
  }
  for (unsigned id = 0; id < kBuffers; ++id) {
    ::io_uring_buf_ring_add(free_buffers_, buffer(id), kBufferSize, static_cast<unsigned short>(id),
                            static_cast<int>(kBuffers - 1), static_cast<int>(id));
  }
  ::io_uring_buf_ring_advance(free_buffers_, static_cast<int>(kBuffers));
  layout_.msg_namelen = sizeof(sockaddr_in);
  if (!arm() || (::io_uring_get_events(&ring_), !armed_)) {
    reason = "io_uring does not start a multishot receive";
    return false;
  }
  // A kernel that does not know the operation says so in its first completion.
  io_uring_cqe* completion = nullptr;
  if (::io_uring_peek_cqe(&ring_, &completion) == 0 && completion->res < 0) {
    reason = words("io_uring has no multishot receive", -completion->res);
    return false;
  }
  return true;
}

bool UdpTransport::UringInbox::arm() noexcept {
  io_uring_sqe* request = ::io_uring_get_sqe(&ring_);
  if (request == nullptr) return false;
  ::io_uring_prep_recvmsg_multishot(request, 0, &layout_, MSG_TRUNC);
  request->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  request->buf_group = kGroup;
  armed_ = ::io_uring_submit(&ring_) == 1;
  return armed_;
}

std::byte* UdpTransport::UringInbox::buffer(unsigned id) const noexcept {
  return memory_ + kRingBytes + id * kBufferSize;
}

void UdpTransport::UringInbox::give_back() noexcept {
  if (held_ < 0) return;
  const auto id = static_cast<unsigned>(held_);
  held_ = -1;
  ::io_uring_buf_ring_add(free_buffers_, buffer(id), kBufferSize, static_cast<unsigned short>(id),
                          static_cast<int>(kBuffers - 1), 0);
  ::io_uring_buf_ring_advance(free_buffers_, 1);
}

bool UdpTransport::UringInbox::ready() noexcept {
  if (!armed_) arm();
  if (::io_uring_cq_ready(&ring_) != 0) return true;
  const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_ACQUIRE);
  if ((flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) == 0) return false;
  ::io_uring_get_events(&ring_);
  return ::io_uring_cq_ready(&ring_) != 0;
}

bool UdpTransport::UringInbox::take(ReceivedFrame& frame) noexcept {
  give_back();
  while (ready()) {
    io_uring_cqe* next = nullptr;
    if (::io_uring_peek_cqe(&ring_, &next) != 0) return false;
    const io_uring_cqe completion = *next;
    ::io_uring_cqe_seen(&ring_, next);
    // Out of buffers, or the kernel ended the request for reasons of its own: start it again.
    if ((completion.flags & IORING_CQE_F_MORE) == 0) armed_ = false;
    if ((completion.flags & IORING_CQE_F_BUFFER) == 0) {
      if (completion.res < 0 && completion.res != -ENOBUFS) return false;
      continue;
    }
    held_ = static_cast<int>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    auto* received = reinterpret_cast<io_uring_recvmsg_out*>(buffer(static_cast<unsigned>(held_)));
    if (completion.res < static_cast<int>(sizeof *received + sizeof(sockaddr_in))) {
      give_back();
      continue;
    }
    const auto* address = reinterpret_cast<const std::byte*>(received + 1);
    frame.from = {};
    if (received->namelen == sizeof(sockaddr_in)) {
      std::memcpy(&frame.from, address, sizeof frame.from);
    }
    frame.bytes = Bytes(address + sizeof(sockaddr_in), static_cast<std::size_t>(completion.res) -
                                                           sizeof *received - sizeof(sockaddr_in));
    frame.together = false;
    frame.truncated = (received->flags & MSG_TRUNC) != 0 || received->payloadlen > kMaxFrame;
    return true;
  }
  return false;
}

bool UdpTransport::UringInbox::sleep(std::int64_t for_ns, const sigset_t* mask) noexcept {
  __kernel_timespec timeout = {for_ns / 1'000'000'000, for_ns % 1'000'000'000};
  io_uring_getevents_arg argument = {};
  argument.sigmask = reinterpret_cast<std::uintptr_t>(mask);
  argument.sigmask_sz = kKernelSigsetBytes;
  argument.ts = reinterpret_cast<std::uintptr_t>(&timeout);
  // liburing passes the signature of sigset_t along for the extended argument as well.
  ::io_uring_enter2(static_cast<unsigned>(ring_.ring_fd), 0, 1,
                    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                    reinterpret_cast<sigset_t*>(&argument), sizeof argument);
  return ::io_uring_cq_ready(&ring_) != 0;
}

}  // namespace plurix::udp

#endif

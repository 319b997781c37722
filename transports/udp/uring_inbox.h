// The io_uring way to receive: one multishot receive fills buffers from a ring of them; what has
// arrived stands in the completion queue, which is memory.
#pragma once

#include "udp/batch.h"

#include <plurix/udp/udp_transport.h>

namespace plurix::udp {

class UdpTransport::UringInbox {
 public:
  static std::unique_ptr<UringInbox> open(int, std::string& reason) {
    reason = "built without liburing";
    return nullptr;
  }
  template <class Take>
  std::size_t drain(std::size_t, Take) noexcept {
    return 0;
  }
  bool ready() noexcept { return false; }
  bool sleep(std::int64_t, const sigset_t*) noexcept { return false; }
};

}  // namespace plurix::udp

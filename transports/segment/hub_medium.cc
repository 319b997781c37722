// A connection to a hub.
#include "segment/listen_request.h"
#include "segment/medium.h"

#include <plurix/segment/stream.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cstring>

namespace plurix::segment {
namespace {

constexpr std::size_t kSendRoom = 512 * 1024;

class HubMedium final : public SegmentDevice::Medium {
 public:
  using Medium::Medium;

  bool put(Bytes header, Bytes first, Bytes second) noexcept override {
    const Bytes parts[] = {header, first, second};
    if (gone_ || !writer_.put(parts)) return false;
    gone_ = !writer_.flush(fd_);
    return true;
  }

  std::optional<Bytes> take() noexcept override {
    if (auto frame = reader_.next()) return frame;
    look();
    return reader_.next();
  }

  bool ready() noexcept override {
    if (reader_.ready()) return true;
    look();
    return reader_.ready();
  }

  short events() const noexcept override {
    if (gone_) return 0;
    return writer_.empty() ? POLLIN : POLLIN | POLLOUT;
  }

  void listen(const ethernet::MacAddress& own) noexcept override {
    const auto request = listen_request(own);
    (void)put(request, {}, {});
  }

  void flush() noexcept override {
    if (!gone_ && !writer_.empty()) gone_ = !writer_.flush(fd_);
  }

 private:
  void look() noexcept {
    if (!gone_) gone_ = !reader_.fill(fd_);
  }

  StreamReader reader_;
  StreamWriter writer_{kSendRoom};
  bool gone_ = false;
};

}  // namespace

std::unique_ptr<SegmentDevice::Medium> SegmentDevice::Medium::connect_to_hub(
    const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    throw SetupError("\"" + path + "\" is no path of a socket: it must have 1 to " +
                     std::to_string(sizeof address.sun_path - 1) + " characters");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("no socket", fd, "Look at the limit of open files");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("no hub at " + path, fd, "Start one: plurix hub --socket " + path);
  }
  return std::make_unique<HubMedium>(fd);
}

}  // namespace plurix::segment

// Medium: a socket that carries Ethernet frames, of one of two kinds.
#pragma once

#include <plurix/segment/device.h>

#include <optional>

namespace plurix::segment {

class SegmentDevice::Medium {
 public:
  explicit Medium(int fd) noexcept : fd_(fd) {}
  virtual ~Medium();
  Medium(const Medium&) = delete;
  Medium& operator=(const Medium&) = delete;

  int fd() const noexcept { return fd_; }

  /// False: no room.
  virtual bool put(Bytes header, Bytes first, Bytes second) noexcept = 0;
  /// The next frame; valid until the next call of anything here.
  virtual std::optional<Bytes> take() noexcept = 0;
  /// Whether `take` would have one; may look at the socket.
  virtual bool ready() noexcept = 0;
  /// What to sleep for (POLLIN, POLLOUT); 0: nothing will come any more.
  virtual short events() const noexcept = 0;
  /// Frames between other stations are wanted, too; the own one has this address.
  virtual void listen(const ethernet::MacAddress& own) noexcept = 0;
  /// The socket takes more.
  virtual void flush() noexcept {}

  /// Both throw SetupError.
  static std::unique_ptr<Medium> connect_to_hub(const std::string& path);
  static std::unique_ptr<Medium> bind_to_interface(const std::string& name,
                                                   ethernet::MacAddress& address);

 protected:
  const int fd_;
};

/// Ends in a SetupError with errno in words; closes `fd` if it is one.
[[noreturn]] void fail(const std::string& what, int fd, const std::string& what_to_do);

}  // namespace plurix::segment

// Frames on a stream socket: four bytes with the length, most significant first, then the frame.
// That is what QEMU's `-netdev stream` speaks. Both directions hold bounded memory: what is not
// read stays in the kernel, what does not fit is dropped whole.
#pragma once

#include <plurix/concepts/transport.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace plurix::segment {

/// What frames a segment carries; longer ones are passed over.
inline constexpr std::size_t kLongestFrame = 1514;

/// Takes frames off a non-blocking socket. Allocates at construction only.
class StreamReader {
 public:
  StreamReader();

  /// Reads what is there and has room. False: the other side is gone, or what it says makes no
  /// sense; nothing more will come.
  bool fill(int fd) noexcept;

  /// The next whole frame: valid until the next call of anything here.
  std::optional<Bytes> next() noexcept;

  /// Whether `next` has one.
  bool ready() noexcept;

  /// What it says makes no sense.
  bool broken() const noexcept { return broken_; }

 private:
  static constexpr std::size_t kRoom = 256 * 1024;
  static constexpr std::size_t kPrefix = 4;
  /// A stream that announces more than this is not one of frames.
  static constexpr std::size_t kNonsense = kRoom / 2;

  std::size_t announced() const noexcept;
  void skip_long_ones() noexcept;

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool broken_ = false;
};

/// Puts frames on a non-blocking socket. Allocates at construction only.
class StreamWriter {
 public:
  /// `room`: bytes that may wait for the socket.
  explicit StreamWriter(std::size_t room);

  /// Queues one frame made of the parts; false if it does not fit.
  bool put(std::span<const Bytes> parts) noexcept;

  /// Sends what the socket takes. False: the other side is gone.
  bool flush(int fd) noexcept;

  bool empty() const noexcept { return begin_ == end_; }

  /// Bytes that the socket has not taken yet.
  std::size_t waiting() const noexcept { return end_ - begin_; }

 private:
  std::size_t room_;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace plurix::segment

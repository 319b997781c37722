#include <plurix/segment/stream.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>

namespace plurix::segment {

StreamReader::StreamReader() : bytes_(std::make_unique_for_overwrite<std::byte[]>(kRoom)) {}

bool StreamReader::fill(int fd) noexcept {
  if (broken_) return false;
  if (begin_ > 0) {
    std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ < kRoom) {
    const auto got = ::recv(fd, bytes_.get() + end_, kRoom - end_, MSG_DONTWAIT);
    if (got > 0) {
      end_ += static_cast<std::size_t>(got);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
  return true;
}

std::size_t StreamReader::announced() const noexcept {
  std::uint32_t length;
  std::memcpy(&length, bytes_.get() + begin_, sizeof length);
  return ntohl(length);
}

void StreamReader::skip_long_ones() noexcept {
  while (end_ - begin_ >= kPrefix) {
    const auto length = announced();
    if (length > kNonsense) broken_ = true;
    if (length <= kLongestFrame || broken_ || end_ - begin_ < kPrefix + length) return;
    begin_ += kPrefix + length;
  }
}

bool StreamReader::ready() noexcept {
  skip_long_ones();
  return !broken_ && end_ - begin_ >= kPrefix && end_ - begin_ >= kPrefix + announced();
}

std::optional<Bytes> StreamReader::next() noexcept {
  if (!ready()) return {};
  const Bytes frame{bytes_.get() + begin_ + kPrefix, announced()};
  begin_ += kPrefix + frame.size();
  return frame;
}

StreamWriter::StreamWriter(std::size_t room)
    : room_(room), bytes_(std::make_unique_for_overwrite<std::byte[]>(room)) {}

bool StreamWriter::put(std::span<const Bytes> parts) noexcept {
  std::uint32_t length = 0;
  for (const auto& part : parts) length += static_cast<std::uint32_t>(part.size());
  if (begin_ > 0 && end_ + sizeof length + length > room_) {
    std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ + sizeof length + length > room_) return false;
  const auto prefix = htonl(length);
  std::memcpy(bytes_.get() + end_, &prefix, sizeof prefix);
  end_ += sizeof prefix;
  for (const auto& part : parts) {
    if (!part.empty()) std::memcpy(bytes_.get() + end_, part.data(), part.size());
    end_ += part.size();
  }
  return true;
}

bool StreamWriter::flush(int fd) noexcept {
  while (!empty()) {
    const auto sent = ::send(fd, bytes_.get() + begin_, end_ - begin_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    begin_ += static_cast<std::size_t>(sent);
  }
  begin_ = end_ = 0;
  return true;
}

}  // namespace plurix::segment

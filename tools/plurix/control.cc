#include "control.h"

#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <utility>

namespace plurix::tool {

bool LineInput::wait(int milliseconds) const {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::milliseconds(milliseconds);
  pollfd readable = {fd_, POLLIN, 0};
  for (;;) {  // a node's ticks end a wait
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    const int found = ::poll(&readable, 1, left > 0 ? static_cast<int>(left) : 0);
    if (found >= 0 || errno != EINTR) return found > 0;
  }
}

bool LineInput::fill() {
  if (!wait(0)) return false;
  char bytes[4096];
  const auto size = ::read(fd_, bytes, sizeof bytes);
  if (size > 0) buffer_.append(bytes, static_cast<std::size_t>(size));
  if (size == 0) {
    closed_ = true;
    if (buffer_.find('\n') == std::string::npos) buffer_.clear();
  }
  return size > 0;
}

std::optional<std::string> LineInput::next() {
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      auto line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (closed_ || !fill()) return {};
  }
}

bool write_line(int fd, std::string line) {
  line += '\n';
  for (std::size_t written = 0; written < line.size();) {
    const auto size = ::write(fd, line.data() + written, line.size() - written);
    if (size > 0) {
      written += static_cast<std::size_t>(size);
    } else if (size < 0 && errno != EINTR && errno != EAGAIN) {
      return false;
    }
  }
  return true;
}

}  // namespace plurix::tool

// The hosted panic: one line on stderr, then SIGABRT.
#include <plurix/posix/panic.h>

#include <unistd.h>
#include <cstdio>
#include <cstdlib>

namespace plurix::posix {

void print_and_abort(const char* what, const char* file, int line) noexcept {
  // snprintf and write, no stdio stream: the caller may be in a signal handler.
  char text[512];
  const int length =
      std::snprintf(text, sizeof text, "plurix: panic: %s (%s:%d)\n", what, file, line);
  if (length > 0) {
    const auto size = static_cast<std::size_t>(length);
    [[maybe_unused]] const auto written =
        ::write(STDERR_FILENO, text, size < sizeof text ? size : sizeof text - 1);
  }
  std::abort();
}

}  // namespace plurix::posix

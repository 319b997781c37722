#include <plurix/posix/environment_error.h>

#include <cstring>

namespace plurix::posix {

std::string describe_errno(int error) {
  char text[128] = "";
  return std::string(::strerror_r(error, text, sizeof text)) + " (errno " + std::to_string(error) +
         ")";
}

}  // namespace plurix::posix

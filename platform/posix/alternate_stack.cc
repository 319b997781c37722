#include <plurix/posix/alternate_stack.h>
#include <plurix/posix/environment_error.h>

#include <sys/mman.h>
#include <cerrno>

namespace plurix::posix {
namespace {

constexpr std::size_t kGuardBytes = 4096;

}  // namespace

AlternateStack::AlternateStack()
    : memory_(::mmap(nullptr, kGuardBytes + kBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
  if (memory_ == MAP_FAILED) {
    throw EnvironmentError("no alternate signal stack", describe_errno(errno), "Free some memory");
  }
  ::mprotect(memory_, kGuardBytes, PROT_NONE);
  stack_t stack = {};
  stack.ss_sp = static_cast<char*>(memory_) + kGuardBytes;
  stack.ss_size = kBytes;
  if (::sigaltstack(&stack, &previous_) != 0) {
    const int error = errno;
    ::munmap(memory_, kGuardBytes + kBytes);
    throw EnvironmentError("the alternate signal stack was refused", describe_errno(error),
                           "Construct it outside of signal handlers");
  }
}

AlternateStack::~AlternateStack() {
  if (previous_.ss_sp == nullptr) previous_.ss_flags = SS_DISABLE;
  ::sigaltstack(&previous_, nullptr);
  ::munmap(memory_, kGuardBytes + kBytes);
}

}  // namespace plurix::posix

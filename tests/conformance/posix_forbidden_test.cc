// A container that forbids userfaultfd and io_uring: the node starts all the same and says so. Each
// case runs in a child process, since a system call filter cannot be taken back.
#include <plurix/posix/environment_error.h>
#include <plurix/posix/hosted_fault_source.h>
#include <plurix/udp/udp_transport.h>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace plurix::testing {
namespace {

constexpr sock_filter load(std::uint32_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, offset};
}
constexpr sock_filter skip_unless_equal(std::uint32_t value, std::uint8_t skipped) {
  return {BPF_JMP | BPF_JEQ | BPF_K, 0, skipped, value};
}
constexpr sock_filter leave_with(std::uint32_t action) { return {BPF_RET | BPF_K, 0, 0, action}; }

constexpr auto kRefuse = SECCOMP_RET_ERRNO | EPERM;

template <std::size_t kCount>
void obey(sock_filter (&rules)[kCount]) {
  const sock_fprog program = {static_cast<unsigned short>(kCount), rules};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::_Exit(77);
  }
}

void forbid_userfaultfd_and_io_uring() {
  sock_filter rules[] = {
      load(offsetof(seccomp_data, nr)),
      skip_unless_equal(SYS_userfaultfd, 1),
      leave_with(kRefuse),
      skip_unless_equal(SYS_io_uring_setup, 1),
      leave_with(kRefuse),
      skip_unless_equal(SYS_ioctl, 3),
      load(offsetof(seccomp_data, args[1])),
      skip_unless_equal(USERFAULTFD_IOC_NEW, 1),
      leave_with(kRefuse),
      leave_with(SECCOMP_RET_ALLOW),
  };
  obey(rules);
}

void forbid_process_madvise() {
  sock_filter rules[] = {
      load(offsetof(seccomp_data, nr)),
      skip_unless_equal(SYS_process_madvise, 1),
      leave_with(kRefuse),
      leave_with(SECCOMP_RET_ALLOW),
  };
  obey(rules);
}

// Leaves with 0 when it holds, else says what did not.
void leave_if(bool holds, const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  std::_Exit(holds ? 0 : 1);
}

TEST(ForbiddenDeathTest, TheFaultSourceFallsBackToSigsegv) {
  const auto child = [] {
    forbid_userfaultfd_and_io_uring();
    posix::SharedRegion region(HeapGeometry{.pages = 16});
    const posix::HostedFaultSource source(region, posix::FaultSourceKind::kAuto);
    leave_if(source.kind() == posix::FaultSourceKind::kSigsegv, source.reason());
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "not permitted");
}

TEST(ForbiddenDeathTest, UserfaultfdByNameIsRefusedInWords) {
  const auto child = [] {
    forbid_userfaultfd_and_io_uring();
    posix::SharedRegion region(HeapGeometry{.pages = 16});
    try {
      const posix::HostedFaultSource source(region, posix::FaultSourceKind::kUserfaultfd);
      leave_if(false, "it was accepted");
    } catch (const posix::EnvironmentError& error) {
      leave_if(true, error.what());
    }
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "Use the SIGSEGV fault source");
}

// As before Linux 6.13: scattered pages are closed one by one then.
TEST(ForbiddenDeathTest, UserfaultfdClosesPagesOneByOne) {
  if (!posix::UffdFaultSource::why_unavailable().empty()) GTEST_SKIP();
  const auto child = [] {
    forbid_process_madvise();
    posix::SharedRegion region(HeapGeometry{.pages = 256});
    posix::UffdFaultSource source(region);
    struct Faults {
      posix::UffdFaultSource& source;
      int count = 0;
    } faults{source};
    source.on_fault({[](void* self, PageIndex page, Access) noexcept {
                       auto& seen = *static_cast<Faults*>(self);
                       ++seen.count;
                       seen.source.protect(page, 1, Rights::kRead);
                       return FaultVerdict::kResume;
                     },
                     &faults});
    source.protect(0, 256, Rights::kRead);
    for (int round = 0; round < 2; ++round) {
      for (PageIndex page = 0; page < 256; page += 64) source.close_later(page, 1);
      source.close_now();
      for (PageIndex page = 0; page < 256; ++page) {
        (void)*static_cast<volatile std::byte*>(source.view() + std::size_t{page} * kPageSize);
      }
    }
    leave_if(faults.count == 8, std::to_string(faults.count) + " faults");
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "8 faults");
}

TEST(ForbiddenDeathTest, TheTransportFallsBackToPlainSockets) {
  const auto child = [] {
    forbid_userfaultfd_and_io_uring();
    const udp::UdpTransport transport({.kind = udp::ReceiveKind::kIoUring});
    leave_if(transport.kind() == udp::ReceiveKind::kPlain, transport.reason());
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "not permitted|without liburing");
}

}  // namespace
}  // namespace plurix::testing

#include <plurix/posix/environment_error.h>
#include <plurix/posix/uffd_fault_source.h>

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace plurix::posix {
namespace {

// Linux 6.4; older headers do not know it.
constexpr std::uint64_t kContinueModeWp = 1U << 1;
// As many as process_madvise takes (UIO_MAXIOV) would be 16 KiB of stack in a signal handler.
constexpr std::size_t kMostTogether = 128;

constexpr std::uint64_t kFeatures = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_PAGEFAULT_FLAG_WP |
                                    UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM |
                                    UFFD_FEATURE_WP_HUGETLBFS_SHMEM;

// Returns a descriptor or -1 with errno. USER_MODE_ONLY needs no privilege, and the kernel's own
// accesses shall get EFAULT anyway.
int open_userfaultfd() {
  const auto fd =
      static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY));
  if (fd >= 0) return fd;
  const int error = errno;
  const int device = ::open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
  if (device < 0) {
    errno = error;
    return -1;
  }
  const int from_device =
      ::ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
  ::close(device);
  return from_device;
}

uffdio_range range_of(const std::byte* begin, std::size_t bytes) {
  return {reinterpret_cast<std::uintptr_t>(begin), bytes};
}

// Opens a descriptor with the features and registers [view, view + bytes). Returns -1 and the
// reason when the kernel refuses.
int register_view(std::byte* view, std::size_t bytes, std::string& reason) {
  const int fd = open_userfaultfd();
  if (fd < 0) {
    reason = "userfaultfd is not permitted: " + describe_errno(errno);
    return -1;
  }
  uffdio_api api = {UFFD_API, kFeatures, 0};
  uffdio_register registration = {
      range_of(view, bytes),
      UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP, 0};
  if (::ioctl(fd, UFFDIO_API, &api) != 0) {
    reason =
        "this kernel's userfaultfd lacks a feature (SIGBUS, minor faults and write protection "
        "on shared memory): " +
        describe_errno(errno);
  } else if (::ioctl(fd, UFFDIO_REGISTER, &registration) != 0) {
    reason = "userfaultfd does not accept the heap: " + describe_errno(errno);
  } else {
    return fd;
  }
  ::close(fd);
  return -1;
}

std::byte* protected_view(const SharedRegion& region) {
  if (region.kind() == RegionKind::kProtectedView) return region.view();
  throw EnvironmentError("faults cannot be trapped", "the region has no protected view",
                         "Map it as RegionKind::kProtectedView");
}

int register_or_throw(std::byte* view, std::size_t bytes) {
  auto reason = UffdFaultSource::why_unavailable();
  const int fd = reason.empty() ? register_view(view, bytes, reason) : -1;
  if (fd >= 0) return fd;
  throw EnvironmentError("userfaultfd cannot be used", reason,
                         "Use the SIGSEGV fault source, or permit userfaultfd (Linux 6.4 or later, "
                         "no seccomp filter against it)");
}

// One page mapped twice like the heap, for the trial.
struct TrialPage {
  std::byte* view = nullptr;
  std::byte* frame = nullptr;

  TrialPage() {
    const int fd = ::memfd_create("plurix-trial", MFD_CLOEXEC);
    if (fd < 0) return;
    if (::ftruncate(fd, kPageSize) == 0) {
      view = map(fd);
      frame = map(fd);
    }
    ::close(fd);
  }
  ~TrialPage() {
    if (view != nullptr) ::munmap(view, kPageSize);
    if (frame != nullptr) ::munmap(frame, kPageSize);
  }
  TrialPage(const TrialPage&) = delete;
  TrialPage& operator=(const TrialPage&) = delete;

  static std::byte* map(int fd) {
    void* memory = ::mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
  }
};

}  // namespace

std::string UffdFaultSource::why_unavailable() {
  TrialPage page;
  if (page.view == nullptr || page.frame == nullptr) return "no memory file can be mapped";
  std::string reason;
  const int fd = register_view(page.view, kPageSize, reason);
  if (fd < 0) return reason;
  *page.frame = std::byte{1};
  uffdio_continue open = {range_of(page.view, kPageSize), kContinueModeWp, 0};
  if (::ioctl(fd, UFFDIO_CONTINUE, &open) != 0) {
    reason =
        "this kernel cannot map a page write-protected (Linux 6.4 can): " + describe_errno(errno);
  }
  ::close(fd);
  return reason;
}

UffdFaultSource::UffdFaultSource(SharedRegion& region)
    : view_(protected_view(region)),
      frames_(region.frames()),
      fd_(register_or_throw(view_, region.bytes())),
      self_(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0))),
      rights_(region.pages()),
      range_(view_, region.bytes(), {trap, this}) {
  // From here on the registration guards the view, not the mapping's protection.
  if (::mprotect(view_, region.bytes(), PROT_READ | PROT_WRITE) != 0) {
    const int error = errno;
    if (self_ >= 0) ::close(self_);
    ::close(fd_);
    throw EnvironmentError("the view cannot be opened", describe_errno(error), "Free some memory");
  }
}

UffdFaultSource::~UffdFaultSource() {
  ::mprotect(view_, std::size_t{rights_.pages()} * kPageSize, PROT_NONE);
  if (self_ >= 0) ::close(self_);
  ::close(fd_);
}

void UffdFaultSource::protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
  const auto changed = rights_.want(first, count, rights);
  if (changed.count == 0) return;
  if (rights == Rights::kNone) {
    const auto run = memory_of(changed);
    close_runs({&run, 1});
  } else {
    change_open_pages(changed.first, changed.count, rights);
    open_closed_pages(changed.first, changed.count, rights);
  }
  rights_.set_mapped(changed.first, changed.count, rights);
}

void UffdFaultSource::close_later(PageIndex first, std::uint32_t count) noexcept {
  if (count > PageRights::kLongestRun) return protect(first, count, Rights::kNone);
  if (!rights_.want_closed_later(first, count)) close_what_waits();
}

void UffdFaultSource::close_what_waits() noexcept {
  BoundedVector<iovec, kMostTogether> runs;
  rights_.take_waiting([&](PageRights::Run run) {
    if (runs.full()) {
      close_runs(runs.view());
      runs.clear();
    }
    const bool room = runs.push(memory_of(run));
    PLURIX_ASSERT(room);
    rights_.set_mapped(run.first, run.count, Rights::kNone);
  });
  close_runs(runs.view());
}

iovec UffdFaultSource::memory_of(PageRights::Run run) const noexcept {
  return {view_ + std::size_t{run.first} * kPageSize, std::size_t{run.count} * kPageSize};
}

void UffdFaultSource::close_runs(std::span<const iovec> runs) noexcept {
  if (runs.size() > 1 && self_ >= 0) {
    std::size_t bytes = 0;
    for (const auto& run : runs) bytes += run.iov_len;
    const auto done =
        ::syscall(SYS_process_madvise, self_, runs.data(), runs.size(), MADV_DONTNEED, 0);
    if (done == static_cast<long>(bytes)) return;
    // An older kernel, or a filter: it would refuse next time, too.
    ::close(std::exchange(self_, -1));
  }
  for (const auto& run : runs) {
    if (::madvise(run.iov_base, run.iov_len, MADV_DONTNEED) != 0) {
      panic("madvise refuses to close pages of the heap", __FILE__, __LINE__);
    }
  }
}

// One call from the first to the last open page that has other rights. Closed pages between them
// may get a mark saying "write-protected", which the call that opens them overwrites.
void UffdFaultSource::change_open_pages(PageIndex first, std::uint32_t count,
                                        Rights rights) noexcept {
  const auto differs = [&](PageIndex page) {
    return rights_.mapped(page) != Rights::kNone && rights_.mapped(page) != rights;
  };
  while (count > 0 && !differs(first)) ++first, --count;
  while (count > 0 && !differs(first + count - 1)) --count;
  if (count > 0) write_protect(first, count, rights);
}

void UffdFaultSource::write_protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
  const auto mode =
      rights == Rights::kRead ? UFFDIO_WRITEPROTECT_MODE_WP : UFFDIO_WRITEPROTECT_MODE_DONTWAKE;
  uffdio_writeprotect change = {
      range_of(view_ + std::size_t{first} * kPageSize, std::size_t{count} * kPageSize), mode};
  while (::ioctl(fd_, UFFDIO_WRITEPROTECT, &change) != 0) {
    // EAGAIN: the address space is being changed elsewhere; the call may simply be repeated.
    if (errno != EAGAIN) panic("userfaultfd refuses to write-protect", __FILE__, __LINE__);
  }
}

void UffdFaultSource::open_closed_pages(PageIndex first, std::uint32_t count,
                                        Rights rights) noexcept {
  const PageIndex end = first + count;
  for (PageIndex page = first; page < end;) {
    if (rights_.mapped(page) != Rights::kNone) {
      ++page;
      continue;
    }
    PageIndex run_end = page + 1;
    while (run_end < end && rights_.mapped(run_end) == Rights::kNone) ++run_end;
    open_run(page, run_end - page, rights);
    page = run_end;
  }
}

void UffdFaultSource::open_run(PageIndex first, std::uint32_t count, Rights rights) noexcept {
  const auto mode = UFFDIO_CONTINUE_MODE_DONTWAKE | (rights == Rights::kRead ? kContinueModeWp : 0);
  int without_progress = 0;
  while (count > 0) {
    uffdio_continue open = {
        range_of(view_ + std::size_t{first} * kPageSize, std::size_t{count} * kPageSize), mode, 0};
    if (::ioctl(fd_, UFFDIO_CONTINUE, &open) == 0) return;
    const int error = errno;
    auto done = open.mapped > 0 ? static_cast<std::uint32_t>(open.mapped >> kPageShift) : 0;
    if (done == 0 && error == EEXIST) {  // the page is open already: only its rights change
      write_protect(first, 1, rights);
      done = 1;
    }
    first += done;
    count -= done;
    if (done > 0) {
      without_progress = 0;
      continue;
    }
    // EFAULT: a frame is not in the page cache (never touched, or swapped out). EAGAIN: the address
    // space is being changed elsewhere.
    if ((error != EFAULT && error != EAGAIN) || ++without_progress > 1000) {
      panic("userfaultfd refuses to open pages of the heap", __FILE__, __LINE__);
    }
    if (error == EFAULT) touch_frames(first, count);
  }
}

void UffdFaultSource::touch_frames(PageIndex first, std::uint32_t count) const noexcept {
  for (std::uint32_t i = 0; i < count; ++i) {
    const volatile std::byte* frame = frames_ + (std::size_t{first} + i) * kPageSize;
    static_cast<void>(*frame);
  }
}

bool UffdFaultSource::trap(void* self, std::byte* address, Access access,
                           TrapSignal signal) noexcept {
  if (signal != TrapSignal::kBus) return false;
  auto& source = *static_cast<UffdFaultSource*>(self);
  const auto page = page_of(static_cast<std::uint64_t>(address - source.view_));
  const auto rights = source.rights_.wanted(page);
  if (allows(rights, access)) {
    // The kernel took the entry away on its own (swap): put it back, nobody needs to know.
    source.open_run(page, 1, rights);
    source.rights_.set_mapped(page, 1, rights);
  } else {
    source.reporter_.report(page, access);
  }
  return true;
}

}  // namespace plurix::posix

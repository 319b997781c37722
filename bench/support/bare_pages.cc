#include "support/bare_pages.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <stdexcept>

// A store whose trap can be answered by going on behind it.
asm(R"(
.text
.type plurix_bench_store, @function
plurix_bench_store:
  movq $1, (%rdi)
plurix_bench_stored:
  ret
.size plurix_bench_store, .-plurix_bench_store
)");
extern "C" {
void plurix_bench_store(std::byte* at);
void plurix_bench_stored();
}

namespace plurix::bench {
namespace {

BarePages* g_current = nullptr;

std::byte* map(std::size_t bytes, int protection, int flags, int file) {
  void* memory = ::mmap(nullptr, bytes, protection, flags, file, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("mmap failed");
  return static_cast<std::byte*>(memory);
}

void must(bool worked, const char* what) {
  if (!worked) throw std::runtime_error(std::string("bare pages: ") + what + " failed");
}

}  // namespace

BarePages::BarePages(posix::FaultSourceKind kind, std::size_t pages)
    : kind_(kind),
      bytes_(pages * kPageSize),
      copies_(std::make_unique<std::byte[]>(bytes_)),
      first_(pages) {
  must(g_current == nullptr, "a second one");
  g_current = this;
  const int file = ::memfd_create("plurix-bench", MFD_CLOEXEC);
  must(file >= 0 && ::ftruncate(file, static_cast<off_t>(bytes_)) == 0, "memfd");
  open_view(file);
  ::close(file);
}

void BarePages::open_view(int file) {
  frames_ = map(bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file);
  std::memset(frames_, 1, bytes_);
  view_ = map(bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file);
  barred_ = map(bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (kind_ == posix::FaultSourceKind::kUserfaultfd) register_view();
  for (std::size_t i = 0; i < bytes_; i += kPageSize) {
    (void)*static_cast<volatile std::byte*>(view_ + i);
  }
  set_writable(0, bytes_ / kPageSize, false);
}

void BarePages::register_view() {
  uffd_ = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
  uffdio_api api = {
      UFFD_API,
      UFFD_FEATURE_SIGBUS | UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM, 0};
  uffdio_register registration = {
      {reinterpret_cast<std::uintptr_t>(view_), bytes_}, UFFDIO_REGISTER_MODE_WP, 0};
  must(::ioctl(uffd_, UFFDIO_API, &api) == 0 && ::ioctl(uffd_, UFFDIO_REGISTER, &registration) == 0,
       "userfaultfd");
}

BarePages::~BarePages() {
  if (uffd_ >= 0) ::close(uffd_);
  ::munmap(view_, bytes_);
  ::munmap(frames_, bytes_);
  ::munmap(barred_, bytes_);
  g_current = nullptr;
}

void BarePages::take_signals() {
  struct sigaction ours = {};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  must(::sigaction(SIGSEGV, &ours, &previous_segv_) == 0 &&
           ::sigaction(SIGBUS, &ours, &previous_bus_) == 0,
       "sigaction");
}

void BarePages::give_signals_back() {
  ::sigaction(SIGSEGV, &previous_segv_, nullptr);
  ::sigaction(SIGBUS, &previous_bus_, nullptr);
}

void BarePages::trap_and_copy(std::size_t page) { plurix_bench_store(barred_ + page * kPageSize); }

void BarePages::on_signal(int, siginfo_t* info, void* machine) {
  g_current->on_trap(static_cast<std::byte*>(info->si_addr), machine);
}

void BarePages::on_trap(std::byte* address, void* machine) {
  ++traps_;
  if (address >= barred_ && address < barred_ + bytes_) {
    const auto page = static_cast<std::size_t>(address - barred_) / kPageSize;
    std::memcpy(&copies_[page * kPageSize], frames_ + page * kPageSize, kPageSize);
    auto& registers = static_cast<ucontext_t*>(machine)->uc_mcontext.gregs;
    registers[REG_RIP] = reinterpret_cast<greg_t>(&plurix_bench_stored);
    return;
  }
  const auto page = static_cast<std::size_t>(address - view_) / kPageSize;
  std::memcpy(&copies_[written_++ * kPageSize], frames_ + page * kPageSize, kPageSize);
  set_writable(page, 1, true);
  first_ = std::min(first_, page);
  last_ = std::max(last_, page);
}

void BarePages::protect_again() {
  if (written_ == 0) return;
  set_writable(first_, last_ - first_ + 1, false);
  first_ = bytes_ / kPageSize;
  last_ = written_ = 0;
}

void BarePages::set_writable(std::size_t first, std::size_t count, bool writable) {
  auto* begin = view_ + first * kPageSize;
  if (uffd_ < 0) {
    must(::mprotect(begin, count * kPageSize, PROT_READ | (writable ? PROT_WRITE : 0)) == 0,
         "mprotect");
    return;
  }
  uffdio_writeprotect change = {
      {reinterpret_cast<std::uintptr_t>(begin), count * kPageSize},
      writable ? UFFDIO_WRITEPROTECT_MODE_DONTWAKE : UFFDIO_WRITEPROTECT_MODE_WP};
  must(::ioctl(uffd_, UFFDIO_WRITEPROTECT, &change) == 0, "write protection");
}

}  // namespace plurix::bench

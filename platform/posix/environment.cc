#include <plurix/posix/environment.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/shared_region.h>
#include <plurix/posix/uffd_fault_source.h>
#include <plurix/udp/udp_transport.h>

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

namespace plurix::posix {
namespace {

constexpr long kWantedMappings = 65'530;       // the kernel's default
constexpr long kWantedSocketBuffer = 1 << 20;  // bytes: some 200 pages in flight
constexpr unsigned kWantedCores = 2;

// -1 when the file cannot be read.
long read_number(const char* path) {
  std::ifstream file(path);
  long value = -1;
  file >> value;
  return file ? value : -1;
}

std::string advice_unless(bool ok, std::string advice) { return ok ? std::string() : advice; }

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

Probe probe_userfaultfd() {
  const auto why_not = UffdFaultSource::why_unavailable();
  const bool ok = why_not.empty();
  return {"userfaultfd", ok, ok ? "permitted, with all features needed" : why_not,
          "page faults cost less and pages never use up kernel mappings; without it SIGSEGV and "
          "mprotect do the work",
          advice_unless(ok, "Run Linux 6.4 or later without a seccomp filter against userfaultfd")};
}

Probe probe_io_uring() {
  std::string found;
  bool ok = false;
  try {
    const udp::UdpTransport trial({.kind = udp::ReceiveKind::kIoUring});
    ok = trial.kind() == udp::ReceiveKind::kIoUring;
    found = trial.reason();
  } catch (const udp::SetupError& error) {
    found = error.what();
  }
  return {"io_uring", ok, found,
          "another way to receive, chosen on request; without it plain sockets do the work",
          advice_unless(ok, "Set kernel.io_uring_disabled to 0, run Linux 6.1 or later")};
}

Probe probe_heap_address(const HeapGeometry& geometry) {
  char range[64];
  std::snprintf(range, sizeof range, "0x%" PRIx64 "-0x%" PRIx64, geometry.base,
                geometry.base + geometry.bytes());
  const auto taken = why_range_taken(geometry);
  bool ok = taken.empty();
  auto found = std::string(range) + (ok ? " is free" : ": " + taken);
  if (ok) {
    void* const wanted = reinterpret_cast<void*>(static_cast<std::uintptr_t>(geometry.base));
    void* const memory =
        ::mmap(wanted, geometry.bytes(), PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    ok = memory == wanted;
    if (memory == MAP_FAILED) found = std::string(range) + ": " + describe_errno(errno);
    if (memory != MAP_FAILED) ::munmap(memory, geometry.bytes());
  }
  return {"heap address range", ok, found, "every node maps the heap at the same addresses",
          advice_unless(ok, "Run one such node a process; look at what is mapped there")};
}

Probe probe_memfd() {
  const int fd = ::memfd_create("plurix-probe", MFD_CLOEXEC);
  const int error = errno;
  if (fd >= 0) ::close(fd);
  const bool ok = fd >= 0;
  return {"memfd", ok, ok ? "permitted" : describe_errno(error),
          "the heap is mapped twice, once for the application and once for the protocol",
          advice_unless(ok, "Permit memfd_create")};
}

Probe probe_mappings(const HeapGeometry& geometry) {
  const long limit = read_number("/proc/sys/vm/max_map_count");
  const bool ok = limit >= kWantedMappings || limit >= 2L * geometry.pages;
  return {"vm.max_map_count", ok, limit < 0 ? "unknown" : std::to_string(limit) + " mappings",
          "with SIGSEGV and mprotect pages of different rights use one mapping each; when none is "
          "left the heap is closed for a moment (tens of milliseconds)",
          advice_unless(ok, "sysctl vm.max_map_count=65530, or more")};
}

Probe probe_socket_buffers() {
  const long limit = read_number("/proc/sys/net/core/rmem_max");
  std::string found = limit < 0 ? "net.core.rmem_max unknown"
                                : "net.core.rmem_max " + std::to_string(limit) + " bytes";
  bool ok = false;
  try {
    const udp::UdpTransport trial;
    ok = trial.receive_buffer() >= kWantedSocketBuffer;
    found += "; granted " + std::to_string(trial.receive_buffer()) + " bytes";
  } catch (const udp::SetupError& error) {
    found += std::string("; ") + error.what();
  }
  return {"socket buffers", ok, found,
          "frames that find no room are lost and have to be asked for again",
          advice_unless(ok, "sysctl net.core.rmem_max=4194304")};
}

Probe probe_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  const auto cores = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0
                         ? static_cast<unsigned>(CPU_COUNT(&allowed))
                         : std::thread::hardware_concurrency();
  const bool ok = cores >= kWantedCores;
  return {"cores", ok, std::to_string(cores),
          "a waiting node polls its socket for some microseconds before it sleeps",
          advice_unless(ok, "Allow the node a core of its own if its latency matters")};
}

Probe probe_memory(const HeapGeometry& geometry) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_AS, &limit);
  const auto physical = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto needed = 2 * geometry.bytes();
  const bool address_space = limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed;
  const bool ok = address_space && physical >= geometry.bytes();
  return {"memory", ok,
          mebibytes(physical) + " of memory, address space " +
              (limit.rlim_cur == RLIM_INFINITY ? "unlimited" : mebibytes(limit.rlim_cur)) +
              ", overcommit mode " + std::to_string(read_number("/proc/sys/vm/overcommit_memory")),
          "the heap takes " + mebibytes(geometry.bytes()) + ", mapped twice",
          advice_unless(ok, "Choose fewer pages, or raise the limit (ulimit -v)")};
}

Probe probe_pending_signals() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_SIGPENDING, &limit);
  const bool ok = limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= 64;
  return {"pending signals", ok,
          limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur),
          "a timer per node interrupts computations so that others are answered",
          advice_unless(ok, "Raise the limit (ulimit -i)")};
}

}  // namespace

std::vector<Probe> probe_environment(const HeapGeometry& geometry) {
  return {probe_heap_address(geometry),
          probe_memfd(),
          probe_memory(geometry),
          probe_userfaultfd(),
          probe_mappings(geometry),
          probe_socket_buffers(),
          probe_io_uring(),
          probe_pending_signals(),
          probe_cores()};
}

}  // namespace plurix::posix

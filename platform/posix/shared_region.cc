#include <plurix/posix/environment_error.h>
#include <plurix/posix/shared_region.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <utility>

namespace plurix::posix {
namespace {

std::string range_text(const HeapGeometry& geometry) {
  char text[64];
  std::snprintf(text, sizeof text, "0x%" PRIx64 "-0x%" PRIx64, geometry.base,
                geometry.base + geometry.bytes());
  return text;
}

std::byte* address_of(const HeapGeometry& geometry) {
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(geometry.base));
}

[[noreturn]] void fail(std::string what, int error, std::string what_to_do) {
  throw EnvironmentError(std::move(what), describe_errno(error), std::move(what_to_do));
}

void hide_from_children(std::byte* begin, std::size_t bytes) {
  // Advice only: a kernel that knows neither still runs a node.
  ::madvise(begin, bytes, MADV_DONTFORK);
  ::madvise(begin, bytes, MADV_NOHUGEPAGE);
}

}  // namespace

SharedRegion::SharedRegion(const HeapGeometry& geometry, RegionKind kind)
    : geometry_(geometry), kind_(kind) {
  if (geometry.pages == 0) {
    throw EnvironmentError("no heap can be mapped", "the geometry has no pages",
                           "Ask for at least one page");
  }
  if (kind == RegionKind::kPlain) {
    map_plain();
  } else {
    map_protected();
  }
}

SharedRegion::~SharedRegion() { unmap(); }

SharedRegion::SharedRegion(SharedRegion&& other) noexcept
    : geometry_(other.geometry_),
      kind_(other.kind_),
      view_(std::exchange(other.view_, nullptr)),
      frames_(std::exchange(other.frames_, nullptr)) {}

SharedRegion& SharedRegion::operator=(SharedRegion&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  geometry_ = other.geometry_;
  kind_ = other.kind_;
  view_ = std::exchange(other.view_, nullptr);
  frames_ = std::exchange(other.frames_, nullptr);
  return *this;
}

void SharedRegion::map_plain() {
  void* memory = ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    fail("the heap cannot be mapped", errno, "Choose fewer pages or raise the limit of memory");
  }
  view_ = frames_ = static_cast<std::byte*>(memory);
}

void SharedRegion::map_protected() {
  const int fd = ::memfd_create("plurix-heap", MFD_CLOEXEC);
  if (fd < 0) fail("no memory file (memfd) for the heap", errno, "Permit memfd_create");
  const auto close_and_fail = [&](const char* what, std::string what_to_do) {
    const int error = errno;
    unmap();
    ::close(fd);
    fail(what, error, std::move(what_to_do));
  };
  if (::ftruncate(fd, static_cast<off_t>(bytes())) != 0) {
    close_and_fail("the memory file of the heap cannot grow", "Choose fewer pages");
  }
  void* frames =
      ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (frames == MAP_FAILED) {
    close_and_fail("the heap cannot be mapped", "Choose fewer pages or raise the limit of memory");
  }
  frames_ = static_cast<std::byte*>(frames);
  void* view = ::mmap(address_of(geometry_), bytes(), PROT_NONE,
                      MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, fd, 0);
  if (view == MAP_FAILED) {
    const auto taken = why_range_taken(geometry_);
    const auto advice = "Every node maps the heap at " + range_text(geometry_) +
                        (taken.empty() ? std::string() : ", but " + taken) +
                        "; run one such node a process";
    close_and_fail("the heap's address range cannot be mapped", advice);
  }
  view_ = static_cast<std::byte*>(view);
  ::close(fd);  // the mappings keep the file
  hide_from_children(view_, bytes());
  hide_from_children(frames_, bytes());
}

void SharedRegion::unmap() noexcept {
  if (view_ != nullptr) ::munmap(view_, bytes());
  if (frames_ != nullptr && frames_ != view_) ::munmap(frames_, bytes());
  view_ = frames_ = nullptr;
}

std::string why_range_taken(const HeapGeometry& geometry) {
  std::FILE* maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return {};
  std::string taken;
  char line[512];
  while (taken.empty() && std::fgets(line, sizeof line, maps) != nullptr) {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    if (std::sscanf(line, "%" SCNx64 "-%" SCNx64, &begin, &end) != 2) continue;
    if (begin >= geometry.base + geometry.bytes() || end <= geometry.base) continue;
    taken = line;
    taken = "this mapping is in the way: " + taken.substr(0, taken.find('\n'));
  }
  std::fclose(maps);
  return taken;
}

}  // namespace plurix::posix

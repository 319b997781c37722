#include <plurix/posix/environment_error.h>
#include <plurix/posix/hosted_fault_source.h>

#include <sys/mman.h>

namespace plurix::posix {

std::string_view to_string(FaultSourceKind kind) noexcept {
  switch (kind) {
    case FaultSourceKind::kAuto:
      return "auto";
    case FaultSourceKind::kSigsegv:
      return "sigsegv";
    case FaultSourceKind::kUserfaultfd:
      return "userfaultfd";
    case FaultSourceKind::kSoftware:
      return "software";
  }
  return "unknown";
}

HostedFaultSource::HostedFaultSource(SharedRegion& region, FaultSourceKind kind)
    : kind_(kind), reason_("asked for") {
  if (kind_ == FaultSourceKind::kAuto) {
    const auto why_not = UffdFaultSource::why_unavailable();
    kind_ = why_not.empty() ? FaultSourceKind::kUserfaultfd : FaultSourceKind::kSigsegv;
    reason_ = why_not.empty() ? "userfaultfd works here" : why_not;
  }
  switch (kind_) {
    case FaultSourceKind::kUserfaultfd:
      source_.emplace<UffdFaultSource>(region);
      break;
    case FaultSourceKind::kSoftware:
      source_.emplace<SoftwareFaultSource>(region);
      break;
    default:
      source_.emplace<SigsegvFaultSource>(region);
      break;
  }
}

void HostedFaultSource::release(PageIndex first, std::uint32_t count) noexcept {
  // A hole in the memory file; the software source has no file. Refused (a kernel without it,
  // locked memory): the memory stays, nothing else.
  const int advice = traps() ? MADV_REMOVE : MADV_DONTNEED;
  (void)::madvise(frames() + std::size_t{first} * kPageSize, std::size_t{count} * kPageSize,
                  advice);
}

}  // namespace plurix::posix

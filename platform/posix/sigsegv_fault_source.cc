#include <plurix/posix/environment_error.h>
#include <plurix/posix/sigsegv_fault_source.h>

#include <sys/mman.h>
#include <algorithm>
#include <cerrno>

namespace plurix::posix {
namespace {

// After a collapse neighbours with the same rights are opened along: whoever touches one page of a
// run mostly touches the next.
constexpr std::uint32_t kReopenRun = 16;

int protection(Rights rights) {
  switch (rights) {
    case Rights::kNone:
      return PROT_NONE;
    case Rights::kRead:
      return PROT_READ;
    case Rights::kWrite:
      return PROT_READ | PROT_WRITE;
  }
  return PROT_NONE;
}

std::byte* protected_view(const SharedRegion& region) {
  if (region.kind() == RegionKind::kProtectedView) return region.view();
  throw EnvironmentError("faults cannot be trapped", "the region has no protected view",
                         "Map it as RegionKind::kProtectedView");
}

}  // namespace

SigsegvFaultSource::SigsegvFaultSource(SharedRegion& region)
    : view_(protected_view(region)),
      frames_(region.frames()),
      rights_(region.pages()),
      range_(view_, region.bytes(), {trap, this}) {}

SigsegvFaultSource::~SigsegvFaultSource() {
  ::mprotect(view_, std::size_t{rights_.pages()} * kPageSize, PROT_NONE);
}

void SigsegvFaultSource::protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
  const auto changed = rights_.want(first, count, rights);
  if (changed.count > 0) apply(changed.first, changed.count, rights);
}

void SigsegvFaultSource::close_later(PageIndex first, std::uint32_t count) noexcept {
  if (count > PageRights::kLongestRun) return protect(first, count, Rights::kNone);
  if (!rights_.want_closed_later(first, count)) close_what_waits();
}

void SigsegvFaultSource::close_what_waits() noexcept {
  rights_.take_waiting([this](PageRights::Run run) { apply(run.first, run.count, Rights::kNone); });
}

void SigsegvFaultSource::apply(PageIndex first, std::uint32_t count, Rights rights) noexcept {
  if (try_mprotect(first, count, rights)) return;
  collapse();
  if (rights == Rights::kNone || try_mprotect(first, count, rights)) return;
  panic("mprotect refuses to open pages of the heap", __FILE__, __LINE__);
}

bool SigsegvFaultSource::try_mprotect(PageIndex first, std::uint32_t count,
                                      Rights rights) noexcept {
  std::byte* begin = view_ + std::size_t{first} * kPageSize;
  if (::mprotect(begin, std::size_t{count} * kPageSize, protection(rights)) != 0) return false;
  rights_.set_mapped(first, count, rights);
  return true;
}

void SigsegvFaultSource::collapse() noexcept {
  // Closing everything only joins mappings, so it succeeds where a split has no mapping left.
  if (::mprotect(view_, std::size_t{rights_.pages()} * kPageSize, PROT_NONE) != 0) {
    panic("mprotect refuses to close the heap", __FILE__, __LINE__);
  }
  rights_.set_mapped(0, rights_.pages(), Rights::kNone);
  ++collapses_;
}

void SigsegvFaultSource::reopen(PageIndex page) noexcept {
  const auto rights = rights_.wanted(page);
  const auto limit = std::min<std::size_t>(rights_.pages(), std::size_t{page} + kReopenRun);
  PageIndex end = page + 1;
  while (end < limit && rights_.wanted(end) == rights && rights_.mapped(end) == Rights::kNone) {
    ++end;
  }
  apply(page, end - page, rights);
}

bool SigsegvFaultSource::trap(void* self, std::byte* address, Access access,
                              TrapSignal signal) noexcept {
  if (signal != TrapSignal::kSegv) return false;
  auto& source = *static_cast<SigsegvFaultSource*>(self);
  const auto page = page_of(static_cast<std::uint64_t>(address - source.view_));
  if (allows(source.rights_.wanted(page), access)) {
    source.reopen(page);
  } else {
    source.reporter_.report(page, access);
  }
  return true;
}

}  // namespace plurix::posix

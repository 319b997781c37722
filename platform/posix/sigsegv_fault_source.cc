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
      desired_(region.pages(), Rights::kNone),
      mapped_(region.pages(), Rights::kNone),
      range_(view_, region.bytes(), {trap, this}) {}

SigsegvFaultSource::~SigsegvFaultSource() {
  ::mprotect(view_, desired_.size() * kPageSize, PROT_NONE);
}

void SigsegvFaultSource::protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
  PLURIX_ASSERT(first <= desired_.size() && count <= desired_.size() - first);
  std::fill_n(&desired_[first], count, rights);
  while (count > 0 && mapped_[first] == rights) ++first, --count;
  while (count > 0 && mapped_[first + count - 1] == rights) --count;
  if (count > 0) apply(first, count, rights);
}

void SigsegvFaultSource::close_later(PageIndex first, std::uint32_t count) noexcept {
  PLURIX_ASSERT(first <= desired_.size() && count <= desired_.size() - first);
  if (count > ClosingPages::kLongestRun) return protect(first, count, Rights::kNone);
  std::fill_n(&desired_[first], count, Rights::kNone);
  if (!closing_.add(first, count)) close_what_waits();
}

void SigsegvFaultSource::close_what_waits() noexcept {
  const auto closed = [this](PageIndex page) { return mapped_[page] == Rights::kNone; };
  const auto to_close = [this](PageIndex page) {
    return desired_[page] == Rights::kNone && mapped_[page] != Rights::kNone;
  };
  closing_.take_runs(to_close, closed, [this](PageIndex first, std::uint32_t count) {
    apply(first, count, Rights::kNone);
  });
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
  std::fill_n(&mapped_[first], count, rights);
  return true;
}

void SigsegvFaultSource::collapse() noexcept {
  // Closing everything only joins mappings, so it succeeds where a split has no mapping left.
  if (::mprotect(view_, desired_.size() * kPageSize, PROT_NONE) != 0) {
    panic("mprotect refuses to close the heap", __FILE__, __LINE__);
  }
  std::fill(mapped_.begin(), mapped_.end(), Rights::kNone);
  ++collapses_;
}

void SigsegvFaultSource::reopen(PageIndex page) noexcept {
  const auto rights = desired_[page];
  const auto limit = std::min<std::size_t>(desired_.size(), std::size_t{page} + kReopenRun);
  PageIndex end = page + 1;
  while (end < limit && desired_[end] == rights && mapped_[end] == Rights::kNone) ++end;
  apply(page, end - page, rights);
}

bool SigsegvFaultSource::trap(void* self, std::byte* address, Access access,
                              TrapSignal signal) noexcept {
  if (signal != TrapSignal::kSegv) return false;
  auto& source = *static_cast<SigsegvFaultSource*>(self);
  const auto page = page_of(static_cast<std::uint64_t>(address - source.view_));
  if (allows(source.desired_[page], access)) {
    source.reopen(page);
  } else {
    source.reporter_.report(page, access);
  }
  return true;
}

}  // namespace plurix::posix

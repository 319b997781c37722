#include <plurix/heap/image.h>

namespace plurix {
namespace {

/// What an image cannot do: it has all of its pages, and writes none.
constexpr TransactionHost kNoHost{
    [](void*, std::uint64_t, std::uint64_t) {
      panic("an offset outside the image of a heap", __FILE__, __LINE__);
    },
    [](void*, std::uint64_t, std::uint64_t) {
      panic("a write to the image of a heap", __FILE__, __LINE__);
    },
    [](void*, std::uint64_t, std::uint64_t, Access) {
      panic("a plain pointer into the image of a heap", __FILE__, __LINE__);
    },
    [](void*, const char* what) { panic(what, __FILE__, __LINE__); },
    [](void*, const char* what) { panic(what, __FILE__, __LINE__); }};

}  // namespace

HeapImage::HeapImage(std::span<const std::byte> frames, std::span<std::uint64_t> stamps) noexcept
    : bytes_(frames.size()), transaction_(kNoHost, nullptr) {
  const auto pages = frames.size() / kPageSize;
  PLURIX_ASSERT(frames.size() % kPageSize == 0 && stamps.size() >= stamps_needed(pages));
  const auto live = live_stamp_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < pages; ++i) {
    stamps[i] = live;
    stamps[pages + i] = 0;
  }
  // Never written through: no page is recorded as written, and a read-only transaction opens none.
  transaction_.frames_ = transaction_.view_ = const_cast<std::byte*>(frames.data());
  transaction_.heap_bytes_ = frames.size();
  transaction_.read_stamps_ = stamps.data();
  transaction_.write_stamps_ = stamps.data() + pages;
  transaction_.live_stamp_ = &live_stamp_;
  transaction_.read_only_ = true;
}

HeapReport HeapImage::verify() {
  HeapReport report;
  if (bytes_ >= kPageSize) {
    const auto* block = transaction_.reading<RootBlock>(0);
    const bool fits =
        block->magic == kHeapMagic && std::uint64_t{block->pages} * kPageSize == bytes_;
    if (fits && block->format == HeapGeometry{}.format) return verify_heap(transaction_);
  }
  report.wrong = 1;
  (void)report.findings.push({.what = "page 0 is not the root block of a heap of this size"});
  return report;
}

}  // namespace plurix

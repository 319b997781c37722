#include <plurix/gc/containers.h>
#include <plurix/transaction.h>

#include <bit>

namespace plurix::gc {
namespace {

using heap::kGranule;
using heap::Offset;
using heap::PageUse;
using heap::Tag;

constexpr std::size_t granule_of(Offset at) noexcept { return at % kPageSize / kGranule; }

Offset large_header(Transaction& t, PageIndex page) {
  const auto r = heap::regions(t.pages());
  return t.load(heap::offset_of(r.large_index) + page * sizeof(Offset));
}

bool is_small_page(Transaction& t, PageIndex page) {
  return page >= heap::regions(t.pages()).first && page < t.pages() &&
         heap::page_entry(t, page).use == PageUse::kSmall &&
         t.reading<heap::PageHeader>(heap::offset_of(page))->magic == heap::PageHeader::kMagic;
}

}  // namespace

void Containers::forget() noexcept {
  for (auto& page : kept_) page.page = kNoPage;
}

const Containers::Page& Containers::blocks_of(Transaction& t, PageIndex index) {
  auto& page = kept_[index % kKept];
  if (page.page == index) return page;
  page.page = kNoPage;
  for (auto& word : page.begins) word = 0;
  const auto begin = heap::offset_of(index);
  for (auto at = begin + sizeof(heap::PageHeader); at < begin + kPageSize;) {
    page.begins[granule_of(at) / 64] |= std::uint64_t{1} << granule_of(at) % 64;
    const auto bytes = Tag(t.load(at)).bytes();
    if (bytes < kGranule || bytes % kGranule != 0) break;  // a page of a run that is not used yet
    at += bytes;
  }
  page.page = index;
  return page;
}

bool Containers::is_object(Transaction& t, Offset at) {
  if (!is_small_page(t, page_of(at))) return false;
  const auto granule = granule_of(at);
  const auto& page = blocks_of(t, page_of(at));
  return (page.begins[granule / 64] >> granule % 64 & 1) != 0 && Tag(t.load(at)).is_object();
}

Offset Containers::around(Transaction& t, Offset slot) {
  if (slot == heap::offset_of(heap::Regions::kRoots)) return 0;
  const auto page = page_of(slot);
  const bool is_small =
      kept_[page % kKept].page == page || heap::page_entry(t, page).use == PageUse::kSmall;
  if (!is_small) return around_in_large(t, page);
  const auto& blocks = blocks_of(t, page);
  auto word = granule_of(slot) / 64;
  auto bits = blocks.begins[word] << (63 - granule_of(slot) % 64) >> (63 - granule_of(slot) % 64);
  while (bits == 0) {
    PLURIX_ASSERT(word > 0);
    bits = blocks.begins[--word];
  }
  const auto granule = word * 64 + 63 - static_cast<unsigned>(std::countl_zero(bits));
  return heap::offset_of(page) + granule * kGranule;
}

Offset Containers::around_in_large(Transaction& t, PageIndex page) {
  const bool same = page >= large_.first && page < large_.end && large_.first != kNoPage;
  auto first = same ? large_.first : page;
  if (heap::page_entry(t, first).use != PageUse::kLarge) first = page;
  while (heap::page_entry(t, first).use == PageUse::kLargeRest) --first;
  auto header = large_header(t, first);
  auto end = first + heap::pages_for(heap::body_bytes(t, header));
  if (page >= end) {  // another object has begun where the kept one began
    for (first = page; heap::page_entry(t, first).use == PageUse::kLargeRest;) --first;
    header = large_header(t, first);
    end = first + heap::pages_for(heap::body_bytes(t, header));
  }
  large_ = {first, end};
  return header;
}

}  // namespace plurix::gc

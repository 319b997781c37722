// The first pages of the heap, where the tables stand, and where a block goes.
#include <gtest/gtest.h>
#include <plurix/heap/layout.h>
#include <plurix/heap/names.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace plurix {
namespace {

using heap::Tag;

TEST(FormatHeap, SaysWhatHeapThisIs) {
  std::vector<std::byte> frames(std::size_t{kFormattedPages} * kPageSize);
  HeapGeometry geometry;
  geometry.base = 0x1234000;
  geometry.pages = 77;
  geometry.format = 5;
  format_heap(frames.data(), geometry);
  RootBlock block;
  std::memcpy(&block, frames.data(), sizeof block);
  EXPECT_EQ(block.magic, kHeapMagic);
  EXPECT_EQ(block.base, 0x1234000u);
  EXPECT_EQ(block.pages, 77u);
  EXPECT_EQ(block.format, 5u);
  EXPECT_EQ(block.page_size, kPageSize);
  for (auto at = sizeof block; at < frames.size(); ++at) ASSERT_EQ(frames[at], std::byte{0});
}

RC_GTEST_PROP(HeapRegions, HaveRoomForEveryPage, ()) {
  const auto pages = *rc::gen::inRange<std::uint32_t>(16, 1u << 27);
  const auto r = heap::regions(pages);
  RC_ASSERT(heap::Regions::kRoots < r.summary);
  RC_ASSERT(r.summary < r.map && r.map < r.large_index && r.large_index < r.first);
  RC_ASSERT(std::uint64_t{r.map - r.summary} * kPageSize >= r.map_pages() * sizeof(std::uint16_t));
  RC_ASSERT(std::uint64_t{r.map_pages()} * kPageSize >= pages * sizeof(heap::PageEntry));
  RC_ASSERT(std::uint64_t{r.first - r.large_index} * kPageSize >= pages * sizeof(heap::Offset));
  RC_ASSERT(r.first < pages);
}

TEST(Tag, TellsWhatItWasGiven) {
  const auto tag = Tag::object(4080, Placement::kSystemReadOnly, 63, Tag::kArray | Tag::kPinned);
  EXPECT_TRUE(tag.is_object());
  EXPECT_FALSE(tag.is_hole());
  EXPECT_EQ(tag.bytes(), 4080u);
  EXPECT_EQ(tag.placement(), Placement::kSystemReadOnly);
  EXPECT_EQ(tag.node(), 63);
  EXPECT_TRUE(tag.has(Tag::kArray));
  EXPECT_FALSE(tag.has(Tag::kLarge));
  EXPECT_TRUE(tag.with(Tag::kCandidate).has(Tag::kCandidate));
  EXPECT_EQ(tag.with(Tag::kCandidate).without(Tag::kCandidate).word(), tag.word());
  EXPECT_TRUE(Tag::hole(8).is_hole());
  EXPECT_EQ(Tag::hole(8).bytes(), 8u);
}

TEST(Tag, OfZerosIsNeitherObjectNorHole) {
  EXPECT_FALSE(Tag(0).is_object());
  EXPECT_FALSE(Tag(0).is_hole());
}

RC_GTEST_PROP(PlaceBlock, AlignsTheBodyAndStaysInTheHole, ()) {
  const auto page = std::uint64_t{7} * kPageSize;
  const auto at = page + 8 * *rc::gen::inRange<std::uint64_t>(2, 512);
  const auto end = page + kPageSize;
  const auto alignment = std::uint64_t{8} << *rc::gen::inRange(0, 9);
  const auto bytes = heap::block_bytes(*rc::gen::inRange<std::uint64_t>(1, 4000));
  const auto block = heap::place_block(at, end, bytes, alignment);
  if (block == 0) return;
  RC_ASSERT(block >= at);
  RC_ASSERT(block + bytes <= end);
  RC_ASSERT((block + sizeof(heap::ObjectHeader)) % alignment == 0u);
}

// What decides whether an object is large must agree with what an empty page can take.
TEST(PlaceBlock, FindsRoomOnAnEmptyPageForWhateverIsNotLarge) {
  for (std::uint64_t alignment = 8; alignment <= kPageSize; alignment *= 2) {
    for (auto bytes = alignment; !heap::is_large(bytes); bytes += alignment) {
      const auto page = std::uint64_t{5} * kPageSize;
      EXPECT_NE(heap::place_block(page + sizeof(heap::PageHeader), page + kPageSize,
                                  heap::block_bytes(bytes), alignment),
                0u)
          << bytes << " bytes aligned to " << alignment;
    }
  }
}

TEST(PagesSpanned, CountsFirstAndLastByte) {
  EXPECT_EQ(pages_spanned(0, 0), 1u);
  EXPECT_EQ(pages_spanned(0, 1), 1u);
  EXPECT_EQ(pages_spanned(0, kPageSize), 1u);
  EXPECT_EQ(pages_spanned(1, kPageSize), 2u);
  EXPECT_EQ(pages_spanned(kPageSize - 1, 2), 2u);
  EXPECT_EQ(pages_spanned(0, 3 * kPageSize), 3u);
}

void name(NameEntry& entry, const std::string& text) {
  std::memcpy(entry.name, text.data(), text.size());
}

TEST(NameEntry, IsItsWholeNameOnly) {
  NameEntry entry;
  name(entry, "accounts");
  EXPECT_TRUE(entry.is("accounts"));
  EXPECT_FALSE(entry.is("account"));
  EXPECT_FALSE(entry.is("accountss"));
  EXPECT_FALSE(entry.is("accountz"));
  EXPECT_FALSE(entry.is(""));
}

TEST(NameEntry, HoldsNamesUpToItsLimit) {
  const std::string longest(NameEntry::kMaxName, 'x');
  NameEntry entry;
  name(entry, longest);
  EXPECT_TRUE(entry.is(longest));
  EXPECT_FALSE(entry.is(longest + "x"));
}

TEST(HeapPath, HasPartsOfOneTo39Characters) {
  EXPECT_TRUE(heap::is_path("a"));
  EXPECT_TRUE(heap::is_path("/a/b/c"));
  EXPECT_TRUE(heap::is_path(std::string(39, 'x') + "/y"));
  EXPECT_FALSE(heap::is_path(""));
  EXPECT_FALSE(heap::is_path("/"));
  EXPECT_FALSE(heap::is_path("a//b"));
  EXPECT_FALSE(heap::is_path("a/"));
  EXPECT_FALSE(heap::is_path(std::string(40, 'x')));
  EXPECT_FALSE(heap::is_path(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace plurix

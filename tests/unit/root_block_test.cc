// The first pages of the heap, and where an object goes.
#include <gtest/gtest.h>
#include <plurix/heap/root_block.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace plurix {
namespace {

TEST(PlaceObject, PutsObjectsOneBehindTheOther) {
  EXPECT_EQ(place_object(0, 8, 8), 0u);
  EXPECT_EQ(place_object(8, 8, 8), 8u);
  EXPECT_EQ(place_object(kPageSize - 8, 8, 8), kPageSize - 8);
}

TEST(PlaceObject, AlignsThem) {
  EXPECT_EQ(place_object(1, 4, 4), 4u);
  EXPECT_EQ(place_object(4097, 1, 64), 4160u);
  EXPECT_EQ(place_object(1, 16, kPageSize), kPageSize);
}

TEST(PlaceObject, LetsNoObjectOfAtMostAPageStraddleTwo) {
  EXPECT_EQ(place_object(kPageSize - 7, 8, 1), kPageSize);
  EXPECT_EQ(place_object(1, kPageSize, 1), kPageSize);
  EXPECT_EQ(place_object(kPageSize, kPageSize, 1), kPageSize);
}

TEST(PlaceObject, StartsALargerObjectOnAPage) {
  EXPECT_EQ(place_object(1, kPageSize + 1, 8), kPageSize);
  EXPECT_EQ(place_object(2 * kPageSize, 3 * kPageSize, 8), 2 * kPageSize);
}

RC_GTEST_PROP(PlaceObject, KeepsItsPromisesForEveryObject, ()) {
  const auto next_free = *rc::gen::inRange<std::uint64_t>(0, 1 << 20);
  const auto alignment = std::uint64_t{1} << *rc::gen::inRange(0, 13);
  const auto size = *rc::gen::inRange<std::uint64_t>(1, 3 * kPageSize);
  const auto offset = place_object(next_free, size, alignment);
  RC_ASSERT(offset >= next_free);
  RC_ASSERT(offset % alignment == 0);
  RC_ASSERT((size > kPageSize ? offset % kPageSize == 0 : pages_spanned(offset, size) == 1));
  RC_ASSERT(offset < next_free + kPageSize + alignment);  // wastes no more than it must
}

TEST(PagesSpanned, CountsFirstAndLastByte) {
  EXPECT_EQ(pages_spanned(0, 0), 1u);
  EXPECT_EQ(pages_spanned(0, 1), 1u);
  EXPECT_EQ(pages_spanned(0, kPageSize), 1u);
  EXPECT_EQ(pages_spanned(1, kPageSize), 2u);
  EXPECT_EQ(pages_spanned(kPageSize - 1, 2), 2u);
  EXPECT_EQ(pages_spanned(0, 3 * kPageSize), 3u);
}

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
  EXPECT_EQ(block.names, 0u);
  EXPECT_EQ(block.next_free, std::uint64_t{kFormattedPages} * kPageSize);
  for (auto at = sizeof block; at < frames.size(); ++at) ASSERT_EQ(frames[at], std::byte{0});
}

NameEntry named(const std::string& name) {
  NameEntry entry;
  std::memcpy(entry.name, name.data(), name.size());
  return entry;
}

TEST(NameEntry, IsItsWholeNameOnly) {
  const auto entry = named("accounts");
  EXPECT_TRUE(entry.is("accounts"));
  EXPECT_FALSE(entry.is("account"));
  EXPECT_FALSE(entry.is("accountss"));
  EXPECT_FALSE(entry.is("accountz"));
  EXPECT_FALSE(entry.is(""));
}

TEST(NameEntry, HoldsNamesUpToItsLimit) {
  const std::string longest(NameEntry::kMaxName, 'x');
  EXPECT_TRUE(named(longest).is(longest));
  EXPECT_FALSE(named(longest).is(longest + "x"));
}

TEST(NameEntry, ThatIsEmptyHasNoName) {
  EXPECT_TRUE(NameEntry{}.is(""));
  EXPECT_FALSE(NameEntry{}.is("a"));
}

}  // namespace
}  // namespace plurix

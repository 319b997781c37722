// ClosingPages: what a fault source closes together.
#include <plurix/posix/closing_pages.h>

#include <gtest/gtest.h>
#include <set>
#include <utility>
#include <vector>

namespace plurix::posix {
namespace {

using Runs = std::vector<std::pair<PageIndex, std::uint32_t>>;

/// Pages that were opened again, or never closed, have no place in a run.
Runs take(ClosingPages& pages, const std::set<PageIndex>& open = {}) {
  Runs runs;
  const auto closed = [&](PageIndex page) { return !open.contains(page); };
  pages.take_runs(closed, closed,
                  [&](PageIndex first, std::uint32_t count) { runs.emplace_back(first, count); });
  EXPECT_TRUE(pages.empty());
  return runs;
}

TEST(ClosingPages, NeighboursShareARunInWhateverOrderTheyCome) {
  ClosingPages pages;
  for (const PageIndex page : {7, 3, 5, 4, 6}) EXPECT_TRUE(pages.add(page, 1));
  EXPECT_EQ(take(pages), (Runs{{3, 5}}));
}

TEST(ClosingPages, AShortGapOfClosedPagesDoesNotEndARun) {
  ClosingPages pages;
  ASSERT_TRUE(pages.add(30, 1));
  ASSERT_TRUE(pages.add(10, 2));
  EXPECT_EQ(take(pages, {5}), (Runs{{10, 2}, {30, 1}}));
  ASSERT_TRUE(pages.add(10, 2));
  ASSERT_TRUE(pages.add(20, 1));
  EXPECT_EQ(take(pages), (Runs{{10, 11}}));
}

TEST(ClosingPages, AnOpenPageIsLeftAloneAndEndsARun) {
  ClosingPages pages;
  ASSERT_TRUE(pages.add(10, 10));
  ASSERT_TRUE(pages.add(12, 3));
  ASSERT_TRUE(pages.add(22, 1));
  EXPECT_EQ(take(pages, {15, 21}), (Runs{{10, 5}, {16, 4}, {22, 1}}));
}

TEST(ClosingPages, NothingLeftToCloseIsNoRun) {
  ClosingPages pages;
  EXPECT_TRUE(pages.empty());
  ASSERT_TRUE(pages.add(0, 3));
  EXPECT_FALSE(pages.empty());
  EXPECT_EQ(take(pages, {0, 1, 2}), Runs{});
}

TEST(ClosingPages, SaysWhenThereIsRoomForNoMore) {
  ClosingPages pages;
  for (PageIndex run = 1; run < ClosingPages::kMostRuns; ++run) {
    ASSERT_TRUE(pages.add(run * 100, 1));
  }
  EXPECT_FALSE(pages.add(0, 1));
  EXPECT_EQ(take(pages).size(), ClosingPages::kMostRuns);
}

}  // namespace
}  // namespace plurix::posix

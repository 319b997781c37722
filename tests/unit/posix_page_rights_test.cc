// PageRights: what is wanted, what is mapped, and what is closed together.
#include <plurix/posix/page_rights.h>

#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace plurix::posix {
namespace {

using Runs = std::vector<std::pair<PageIndex, std::uint32_t>>;

constexpr std::uint32_t kPages = 60'000;

class PageRightsTest : public ::testing::Test {
 protected:
  void open(PageIndex first, std::uint32_t count, Rights to = Rights::kRead) {
    const auto changed = rights.want(first, count, to);
    rights.set_mapped(changed.first, changed.count, to);
  }

  bool close_later(PageIndex first, std::uint32_t count) {
    return rights.want_closed_later(first, count);
  }

  Runs take() {
    Runs runs;
    rights.take_waiting([&](PageRights::Run run) {
      runs.emplace_back(run.first, run.count);
      rights.set_mapped(run.first, run.count, Rights::kNone);
    });
    EXPECT_FALSE(rights.anything_waits());
    return runs;
  }

  PageRights rights{kPages};
};

TEST_F(PageRightsTest, OnlyWhatIsMappedOtherwiseIsAChange) {
  open(10, 10);
  const auto changed = rights.want(5, 20, Rights::kRead);
  EXPECT_EQ(changed.first, 5U);
  EXPECT_EQ(changed.count, 20U);
  const auto front = rights.want(8, 6, Rights::kRead);
  EXPECT_EQ(front.first, 8U);
  EXPECT_EQ(front.count, 2U);
  const auto back = rights.want(15, 10, Rights::kRead);
  EXPECT_EQ(back.first, 20U);
  EXPECT_EQ(back.count, 5U);
  EXPECT_EQ(rights.want(10, 10, Rights::kRead).count, 0U);
}

TEST_F(PageRightsTest, NeighboursAreClosedTogetherInWhateverOrderTheyCome) {
  open(0, 20);
  for (const PageIndex page : {7, 3, 5, 4, 6}) EXPECT_TRUE(close_later(page, 1));
  EXPECT_EQ(take(), (Runs{{3, 5}}));
}

TEST_F(PageRightsTest, AShortGapOfClosedPagesDoesNotEndARun) {
  open(10, 2);
  open(20, 1);
  open(40, 1);
  ASSERT_TRUE(close_later(40, 1));
  ASSERT_TRUE(close_later(20, 1));
  ASSERT_TRUE(close_later(10, 2));
  EXPECT_EQ(take(), (Runs{{10, 11}, {40, 1}}));
}

TEST_F(PageRightsTest, APageThatIsNamedTwiceIsClosedOnce) {
  open(10, 10);
  ASSERT_TRUE(close_later(10, 10));
  ASSERT_TRUE(close_later(12, 3));
  EXPECT_EQ(take(), (Runs{{10, 10}}));
}

TEST_F(PageRightsTest, APageThatWasOpenedAgainIsLeftAloneAndEndsARun) {
  open(10, 13);
  ASSERT_TRUE(close_later(10, 10));
  ASSERT_TRUE(close_later(12, 3));
  ASSERT_TRUE(close_later(22, 1));
  EXPECT_EQ(rights.want(15, 1, Rights::kRead).count, 0U);
  EXPECT_EQ(take(), (Runs{{10, 5}, {16, 4}, {22, 1}}));
}

TEST_F(PageRightsTest, NothingLeftToCloseIsNoRun) {
  EXPECT_FALSE(rights.anything_waits());
  ASSERT_TRUE(close_later(0, 3));
  EXPECT_TRUE(rights.anything_waits());
  EXPECT_EQ(take(), Runs{});
}

TEST_F(PageRightsTest, SaysWhenThereIsRoomForNoMore) {
  open(0, kPages);
  for (PageIndex run = 1; run < PageRights::kMostRuns; ++run) {
    ASSERT_TRUE(close_later(run * 100, 1));
  }
  EXPECT_FALSE(close_later(0, 1));
  EXPECT_EQ(take().size(), PageRights::kMostRuns);
}

}  // namespace
}  // namespace plurix::posix

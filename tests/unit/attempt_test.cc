// One execution of a body: its sets, its shadow images, its doom.
#include <gmock/gmock.h>
#include <plurix/dsm/attempt.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "support/core_parts.h"

namespace plurix::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AttemptTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kPages = 32;
  static constexpr std::uint32_t kShadows = 8;

  AttemptTest() {
    for (PageIndex page = 0; page < kPages; ++page) {
      parts_.directory.set_state(page, PageState::kCopy);
      parts_.fill(page, static_cast<int>(page + 1));
    }
  }

  bool write(PageIndex page, int value) {
    if (!attempt_.add_write(page)) return false;
    parts_.fill(page, value);
    return true;
  }
  /// As the application's fast path sees it.
  bool is_recorded(const std::uint64_t* stamps, PageIndex page) const {
    return stamps[page] == attempt_.live_stamp().load();
  }

  CoreParts parts_{kPages, kShadows};
  PageDirectory& directory_ = parts_.directory;
  Attempt& attempt_ = parts_.attempt;
};

TEST_F(AttemptTest, BeginsWithEmptySetsAndALargerNumber) {
  attempt_.begin();
  const auto first = attempt_.number();
  attempt_.add_read(3);
  attempt_.end();
  EXPECT_FALSE(attempt_.active());
  attempt_.begin();
  EXPECT_TRUE(attempt_.active());
  EXPECT_FALSE(attempt_.doomed());
  EXPECT_GT(attempt_.number(), first);
  EXPECT_THAT(attempt_.read_set(), IsEmpty());
  EXPECT_THAT(attempt_.write_set(), IsEmpty());
}

TEST_F(AttemptTest, RemembersEachPageOnceInOrderOfFirstAccess) {
  attempt_.begin();
  for (const PageIndex page : {5u, 2u, 5u}) attempt_.add_read(page);
  ASSERT_TRUE(attempt_.add_write(9));
  ASSERT_TRUE(attempt_.add_write(2));
  ASSERT_TRUE(attempt_.add_write(9));
  EXPECT_THAT(attempt_.read_set(), ElementsAre(5, 2, 9));
  EXPECT_THAT(attempt_.write_set(), ElementsAre(9, 2));
  EXPECT_TRUE(attempt_.has_read(9));
  EXPECT_FALSE(attempt_.has_written(5));
}

TEST_F(AttemptTest, StampsThePagesItsLiveStampIsComparedWith) {
  attempt_.begin();
  attempt_.add_read(4);
  ASSERT_TRUE(attempt_.add_write(6));
  EXPECT_TRUE(is_recorded(attempt_.read_stamps(), 4));
  EXPECT_FALSE(is_recorded(attempt_.write_stamps(), 4));
  EXPECT_TRUE(is_recorded(attempt_.read_stamps(), 6));
  EXPECT_TRUE(is_recorded(attempt_.write_stamps(), 6));
  EXPECT_FALSE(is_recorded(attempt_.read_stamps(), 5));
}

TEST_F(AttemptTest, DoesNotTakeAnEarlierAttemptsAccessForItsOwn) {
  attempt_.begin();
  ASSERT_TRUE(attempt_.add_write(4));
  attempt_.end();
  EXPECT_FALSE(is_recorded(attempt_.read_stamps(), 4));
  attempt_.begin();
  EXPECT_FALSE(is_recorded(attempt_.read_stamps(), 4));
  EXPECT_FALSE(is_recorded(attempt_.write_stamps(), 4));
  EXPECT_FALSE(attempt_.has_read(4));
  EXPECT_FALSE(attempt_.has_written(4));
}

TEST_F(AttemptTest, RollsEveryWrittenPageBackToItsFirstImage) {
  attempt_.begin();
  ASSERT_TRUE(write(3, 100));
  ASSERT_TRUE(write(7, 101));
  ASSERT_TRUE(write(3, 102));  // the image was taken before the first write
  attempt_.roll_back();
  EXPECT_FALSE(attempt_.active());
  for (std::size_t at = 0; at < kPageSize; ++at) {
    ASSERT_EQ(parts_.byte(3, at), 4);
    ASSERT_EQ(parts_.byte(7, at), 8);
  }
}

TEST_F(AttemptTest, KeepsWhatWasWrittenWhenItEndsWithoutRollback) {
  attempt_.begin();
  ASSERT_TRUE(write(3, 100));
  attempt_.end();
  EXPECT_EQ(parts_.byte(3), 100);
}

TEST_F(AttemptTest, ShowsTheClusterTheShadowImageWhileItWrites) {
  attempt_.begin();
  ASSERT_TRUE(write(3, 100));
  EXPECT_EQ(static_cast<int>(attempt_.committed_contents(3)[0]), 4);
  EXPECT_EQ(static_cast<int>(attempt_.committed_contents(5)[0]), 6);
  attempt_.end();
  EXPECT_EQ(static_cast<int>(attempt_.committed_contents(3)[0]), 100);
}

TEST_F(AttemptTest, ProhibitsWritingAgainWhenItRollsBack) {
  attempt_.begin();
  ASSERT_TRUE(write(3, 100));
  directory_.protect(3, Rights::kWrite);
  ASSERT_TRUE(write(4, 100));
  directory_.protect(4, Rights::kRead);  // written behind the view
  attempt_.roll_back();
  EXPECT_EQ(directory_.rights(3), Rights::kRead);
  EXPECT_EQ(directory_.rights(4), Rights::kRead);
}

TEST_F(AttemptTest, RefusesAWriteThatFindsNoShadowPageAndStaysAsItWas) {
  attempt_.begin();
  for (PageIndex page = 0; page < kShadows; ++page) ASSERT_TRUE(write(page, 100));
  EXPECT_FALSE(attempt_.add_write(20));
  EXPECT_FALSE(attempt_.has_read(20));
  EXPECT_FALSE(attempt_.has_written(20));
  EXPECT_EQ(attempt_.write_set().size(), kShadows);
  EXPECT_TRUE(write(0, 101));  // has one already
  attempt_.roll_back();
  for (PageIndex page = 0; page < kShadows; ++page) {
    EXPECT_EQ(parts_.byte(page), static_cast<int>(page + 1));
  }
}

TEST_F(AttemptTest, StillKnowsWhichShadowIsWhoseWhenTheWriteSetWasSorted) {
  attempt_.begin();
  for (const PageIndex page : {9u, 2u, 14u, 1u}) ASSERT_TRUE(write(page, 100));
  EXPECT_THAT(attempt_.sorted_write_set(), ElementsAre(1, 2, 9, 14));
  attempt_.roll_back();
  for (const PageIndex page : {9u, 2u, 14u, 1u}) {
    EXPECT_EQ(parts_.byte(page), static_cast<int>(page + 1));
  }
}

TEST_F(AttemptTest, IsDoomedByACommitOfAPageItHasRead) {
  attempt_.begin();
  attempt_.add_read(5);
  attempt_.collide(6, {41});
  EXPECT_FALSE(attempt_.doomed());
  attempt_.collide(5, {42});
  EXPECT_TRUE(attempt_.doomed());
  EXPECT_EQ(attempt_.collision_page(), 5u);
  EXPECT_EQ(attempt_.collision_time(), CommitTime{42});
}

TEST_F(AttemptTest, IsDoomedByACommitOfAPageItHasOnlyWritten) {
  attempt_.begin();
  ASSERT_TRUE(attempt_.add_write(5));
  attempt_.collide(5, {42});
  EXPECT_TRUE(attempt_.doomed());
}

TEST_F(AttemptTest, NoticesItsDoomAtTheNextCheckedAccess) {
  attempt_.begin();
  ASSERT_TRUE(attempt_.add_write(5));
  attempt_.add_read(6);
  attempt_.collide(5, {42});
  for (const PageIndex page : {5u, 6u, 7u}) {
    EXPECT_FALSE(is_recorded(attempt_.read_stamps(), page));
    EXPECT_FALSE(is_recorded(attempt_.write_stamps(), page));
  }
}

TEST_F(AttemptTest, RemembersTheCollisionThatCameFirst) {
  attempt_.begin();
  attempt_.add_read(5);
  attempt_.add_read(6);
  attempt_.collide(6, {42});
  attempt_.collide(5, {43});
  EXPECT_EQ(attempt_.collision_page(), 6u);
  EXPECT_EQ(attempt_.collision_time(), CommitTime{42});
}

TEST_F(AttemptTest, CollidesWithNothingOnceItHasEnded) {
  attempt_.begin();
  attempt_.add_read(5);
  attempt_.end();
  attempt_.collide(5, {42});
  attempt_.doom(5, {42});
  EXPECT_FALSE(attempt_.doomed());
}

TEST_F(AttemptTest, BeginsUndoomedAfterADoomedOne) {
  attempt_.begin();
  attempt_.doom(5, {42});
  attempt_.roll_back();
  attempt_.begin();
  EXPECT_FALSE(attempt_.doomed());
  EXPECT_EQ(attempt_.collision_page(), kNoPage);
  EXPECT_EQ(attempt_.live_stamp().load(), attempt_.number());
}

TEST_F(AttemptTest, ThatReadsEverythingCollidesWithEveryPageThatIsHere) {
  directory_.set_state(8, PageState::kAbsent);
  attempt_.begin();
  attempt_.read_everything();
  attempt_.collide(8, {41});
  EXPECT_FALSE(attempt_.doomed());
  attempt_.collide(9, {42});
  EXPECT_TRUE(attempt_.doomed());
}

TEST_F(AttemptTest, ReadsEverythingOnlyIfToldSoAnew) {
  attempt_.begin();
  attempt_.read_everything();
  attempt_.end();
  attempt_.begin();
  EXPECT_FALSE(attempt_.reads_everything());
  attempt_.collide(9, {42});
  EXPECT_FALSE(attempt_.doomed());
}

TEST_F(AttemptTest, LetsGoOfAPageThatWasTakenAwayOnlyAtItsEnd) {
  attempt_.begin();
  attempt_.add_read(5);
  directory_.protect(5, Rights::kRead);
  attempt_.collide(5, {42});
  directory_.set_state(5, PageState::kAbsent);
  EXPECT_EQ(directory_.rights(5), Rights::kRead);  // one snapshot to its end
  attempt_.roll_back();
  EXPECT_EQ(directory_.rights(5), Rights::kNone);
}

using AttemptDeathTest = AttemptTest;

TEST_F(AttemptDeathTest, RecordsNothingOutsideAnAttempt) {
  EXPECT_DEATH(attempt_.add_read(1), "");
  EXPECT_DEATH((void)attempt_.add_write(1), "");
  EXPECT_DEATH(attempt_.end(), "");
}

TEST_F(AttemptDeathTest, RecordsNothingWhenDoomed) {
  attempt_.begin();
  attempt_.doom(0, {1});
  EXPECT_DEATH(attempt_.add_read(1), "");
  EXPECT_DEATH((void)attempt_.add_write(1), "");
}

TEST_F(AttemptDeathTest, ReadsNoAbsentPage) {
  directory_.set_state(3, PageState::kAbsent);
  attempt_.begin();
  EXPECT_DEATH(attempt_.add_read(3), "");
  EXPECT_DEATH((void)attempt_.add_write(3), "");
}

TEST_F(AttemptDeathTest, DoesNotBeginInsideAnother) {
  attempt_.begin();
  EXPECT_DEATH(attempt_.begin(), "");
}

RC_GTEST_PROP(Attempt, RolledBackLeavesEveryByteOfTheHeapAsItWas, ()) {
  CoreParts parts(16, 8);
  for (PageIndex page = 0; page < 16; ++page) {
    parts.directory.set_state(page, PageState::kCopy);
    parts.fill(page, static_cast<int>(page));
  }
  const auto before = parts.memory;
  const auto attempts = *rc::gen::inRange(1, 4);
  for (int i = 0; i < attempts; ++i) {
    parts.attempt.begin();
    const auto pages = *rc::gen::container<std::vector<PageIndex>>(rc::gen::inRange(0u, 16u));
    for (const auto page : pages) {
      if (!parts.attempt.add_write(page)) continue;
      parts.fill(page, *rc::gen::inRange(0, 256));
    }
    const std::set<PageIndex> different(pages.begin(), pages.end());
    RC_ASSERT(parts.attempt.write_set().size() == std::min<std::size_t>(different.size(), 8));
    if (*rc::gen::arbitrary<bool>()) (void)parts.attempt.sorted_write_set();
    parts.attempt.roll_back();
    RC_ASSERT(parts.memory == before);
  }
}

}  // namespace
}  // namespace plurix::testing

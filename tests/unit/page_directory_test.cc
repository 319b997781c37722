// What a node knows of its pages, and how rights reach the machine: neighbours share a call, and a
// full action list takes rights away rather than leave one by mistake.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/core_parts.h"

namespace plurix::testing {
namespace {

class PageDirectoryTest : public ::testing::Test {
 protected:
  /// Fills the action list with sends of nothing up to `free` free places.
  void fill_actions(std::size_t free) {
    while (parts_.actions->view().size() < ActionList::kMaxActions - free) {
      ASSERT_TRUE(parts_.actions->push({.kind = ActionKind::kSend, .node = 1}));
    }
  }

  CoreParts parts_{1024};
  PageDirectory& directory_ = parts_.directory;
};

void expect_protect(const Action& action, PageIndex page, std::uint32_t count, Rights rights) {
  EXPECT_EQ(action.kind, ActionKind::kProtect);
  EXPECT_EQ(action.page, page);
  EXPECT_EQ(action.count, count);
  EXPECT_EQ(action.rights, rights);
}

TEST_F(PageDirectoryTest, KnowsNothingAtFirst) {
  EXPECT_EQ(directory_.state(3), PageState::kAbsent);
  EXPECT_EQ(directory_.owner_hint(3), kNoNode);
  EXPECT_EQ(directory_.written(3), CommitTime{});
  EXPECT_EQ(directory_.rights(3), Rights::kNone);
  EXPECT_TRUE(directory_.never_written(0));
}

TEST_F(PageDirectoryTest, TakesPagesThatWereCommittedForWritten) {
  directory_.set_written(7, {1});
  EXPECT_TRUE(directory_.never_written(6));
  EXPECT_FALSE(directory_.never_written(7));
}

TEST_F(PageDirectoryTest, ProtectsNeighboursByOneAction) {
  for (PageIndex page = 4; page < 9; ++page) directory_.protect(page, Rights::kRead);
  ASSERT_EQ(parts_.actions->view().size(), 1u);
  expect_protect(parts_.actions->view()[0], 4, 5, Rights::kRead);
}

TEST_F(PageDirectoryTest, StartsANewActionAtAGapOtherRightsOrBackwards) {
  directory_.protect(4, Rights::kRead);
  directory_.protect(6, Rights::kRead);
  directory_.protect(7, Rights::kWrite);
  directory_.protect(3, Rights::kWrite);
  const auto actions = parts_.actions->view();
  ASSERT_EQ(actions.size(), 4u);
  expect_protect(actions[0], 4, 1, Rights::kRead);
  expect_protect(actions[1], 6, 1, Rights::kRead);
  expect_protect(actions[2], 7, 1, Rights::kWrite);
  expect_protect(actions[3], 3, 1, Rights::kWrite);
}

TEST_F(PageDirectoryTest, DoesNotReachBackOverAFrame) {
  directory_.protect(4, Rights::kRead);
  ASSERT_TRUE(parts_.actions->push({.kind = ActionKind::kSend, .node = 1}));
  directory_.protect(5, Rights::kRead);
  EXPECT_EQ(parts_.actions->view().size(), 3u);
}

TEST_F(PageDirectoryTest, AsksForNothingThatIsSoAlready) {
  directory_.protect(4, Rights::kNone);
  EXPECT_TRUE(parts_.actions->empty());
  directory_.protect(4, Rights::kRead);
  directory_.protect(4, Rights::kRead);
  EXPECT_EQ(parts_.actions->view().size(), 1u);
}

TEST_F(PageDirectoryTest, TakesAllRightsAwayWhenThereIsNoRoomForOne) {
  directory_.protect(2, Rights::kRead);
  fill_actions(1);
  directory_.protect(7, Rights::kWrite);  // takes the last place
  directory_.protect(9, Rights::kRead);   // has none: the newest action becomes "nothing for all"
  const auto actions = parts_.actions->view();
  ASSERT_EQ(actions.size(), ActionList::kMaxActions);
  expect_protect(actions.back(), 0, directory_.pages(), Rights::kNone);
  for (const PageIndex page : {2u, 7u, 9u}) EXPECT_EQ(directory_.rights(page), Rights::kNone);
  EXPECT_EQ(parts_.core.counters.actions_dropped, 0u);
}

TEST_F(PageDirectoryTest, CountsTheFrameThatGaveItsPlace) {
  directory_.protect(2, Rights::kRead);
  fill_actions(0);
  directory_.protect(9, Rights::kRead);
  expect_protect(parts_.actions->view().back(), 0, directory_.pages(), Rights::kNone);
  EXPECT_EQ(parts_.core.counters.actions_dropped, 1u);
}

RC_GTEST_PROP(PageDirectory, ActionsInOrderGiveTheMachineNoRightTheDirectoryDoesNotKnow, ()) {
  // What the machine ends up with is what the directory says: also far beyond the action limit.
  CoreParts parts(1024);
  std::vector<Rights> machine(1024, Rights::kNone);
  const auto steps = *rc::gen::inRange(1, 4);
  for (int step = 0; step < steps; ++step) {
    parts.actions->clear();
    const auto changes = *rc::gen::inRange(0, 1500);
    Prng prng(*rc::gen::arbitrary<std::uint64_t>());
    for (int i = 0; i < changes; ++i) {
      parts.directory.protect(static_cast<PageIndex>(prng.below(1024)),
                              static_cast<Rights>(prng.below(3)));
    }
    for (const auto& action : parts.actions->view()) {
      for (auto page = action.page; page < action.page + action.count; ++page) {
        machine[page] = action.rights;
      }
    }
    for (PageIndex page = 0; page < 1024; ++page) {
      RC_ASSERT(machine[page] == parts.directory.rights(page));
    }
  }
}

}  // namespace
}  // namespace plurix::testing

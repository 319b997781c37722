// Work for after an attempt: how much of it there may be, and in which order it is done.
#include <gmock/gmock.h>
#include <plurix/transaction.h>

#include <memory>
#include <vector>

namespace plurix {
namespace {

using ::testing::ElementsAre;

class HookListTest : public ::testing::Test {
 protected:
  auto note(int value) {
    return [this, value] { noted_.push_back(value); };
  }

  std::unique_ptr<HookList> hooks_ = std::make_unique<HookList>();
  std::vector<int> noted_;
};

TEST_F(HookListTest, RunsForwardInOrderOfRegistrationAndBackwardInReverse) {
  for (const int value : {1, 2, 3}) ASSERT_TRUE(hooks_->push(note(value)));
  hooks_->run_forward();
  EXPECT_THAT(noted_, ElementsAre(1, 2, 3));
  noted_.clear();
  hooks_->run_backward();
  EXPECT_THAT(noted_, ElementsAre(3, 2, 1));
}

TEST_F(HookListTest, TakesAsManyAsItsLimitAndRunsExactlyThose) {
  for (std::size_t i = 0; i < HookList::kLimit; ++i) ASSERT_TRUE(hooks_->push(note(1)));
  EXPECT_FALSE(hooks_->push(note(2)));
  hooks_->run_forward();
  EXPECT_EQ(noted_, std::vector<int>(HookList::kLimit, 1));
}

TEST_F(HookListTest, ForgetsItsHooksWhenCleared) {
  ASSERT_TRUE(hooks_->push(note(1)));
  EXPECT_FALSE(hooks_->empty());
  hooks_->clear();
  EXPECT_TRUE(hooks_->empty());
  hooks_->run_forward();
  hooks_->run_backward();
  EXPECT_THAT(noted_, ElementsAre());
}

TEST_F(HookListTest, KeepsCapturesOfUpToItsBytes) {
  struct {
    std::uint64_t words[HookList::kBytes / 8 - 1] = {11, 12, 13, 14, 15};
  } captured;
  auto& out = noted_;
  ASSERT_TRUE(hooks_->push([captured, &out] {
    for (const auto word : captured.words) out.push_back(static_cast<int>(word));
  }));
  hooks_->run_forward();
  EXPECT_THAT(noted_, ElementsAre(11, 12, 13, 14, 15));
}

/// A host that notes why a body is left.
struct Left {
  const char* why;
};
constexpr TransactionHost kThrowingHost{[](void*, std::uint64_t, std::uint64_t) {},
                                        [](void*, std::uint64_t, std::uint64_t) {},
                                        [](void*, std::uint64_t, std::uint64_t, Access) {},
                                        [](void*, const char* what) { throw Left{what}; },
                                        [](void*, const char* what) { throw Left{what}; }};

TEST(TransactionHooks, BeyondTheLimitEndTheTransactionInWords) {
  Transaction t(kThrowingHost, nullptr);
  for (std::size_t i = 0; i < HookList::kLimit; ++i) {
    t.on_commit([] {});
    t.undo([] {});
  }
  try {
    t.on_commit([] {});
    FAIL() << "a hook too many was taken";
  } catch (const Left& left) {
    EXPECT_STREQ(left.why, "too many on_commit hooks in one transaction");
  }
  try {
    t.undo([] {});
    FAIL() << "a hook too many was taken";
  } catch (const Left& left) {
    EXPECT_STREQ(left.why, "too many undo hooks in one transaction");
  }
}

}  // namespace
}  // namespace plurix

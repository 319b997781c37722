#include <plurix/base/bounded_vector.h>

#include <gmock/gmock.h>

namespace plurix {
namespace {

using ::testing::ElementsAre;

BoundedVector<int, 4> of(std::initializer_list<int> values) {
  BoundedVector<int, 4> out;
  for (const auto value : values) EXPECT_TRUE(out.push(value));
  return out;
}

TEST(BoundedVector, TakesAsManyAsItsLimitAndThenChangesNothing) {
  auto v = of({1, 2, 3, 4});
  EXPECT_TRUE(v.full());
  EXPECT_FALSE(v.push(5));
  EXPECT_THAT(v.view(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(v.limit(), 4u);
}

TEST(BoundedVector, KeepsTheOrderOfTheOthersWhenOneIsErased) {
  auto v = of({1, 2, 3, 4});
  v.erase(1);
  EXPECT_THAT(v.view(), ElementsAre(1, 3, 4));
  v.erase(2);
  EXPECT_THAT(v.view(), ElementsAre(1, 3));
  v.erase(0);
  v.erase(0);
  EXPECT_TRUE(v.empty());
}

TEST(BoundedVector, HasRoomAgainAfterClearAndErase) {
  auto v = of({1, 2, 3, 4});
  v.erase(0);
  EXPECT_TRUE(v.push(5));
  EXPECT_THAT(v.view(), ElementsAre(2, 3, 4, 5));
  v.clear();
  EXPECT_EQ(v.size(), 0u);
  EXPECT_TRUE(v.push(6));
  EXPECT_THAT(v.view(), ElementsAre(6));
}

TEST(BoundedVectorDeathTest, StopsTheNodeAtAnIndexBeyondItsSize) {
  auto v = of({1, 2});
  EXPECT_DEATH((void)v[2], "");
  EXPECT_DEATH(v.erase(2), "");
}

}  // namespace
}  // namespace plurix

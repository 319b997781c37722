#include <plurix/dsm/arena.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace plurix {
namespace {

struct Marked {
  std::uint32_t value = 7;
};

TEST(Arena, HandsOutSeparateAlignedAndInitialisedArrays) {
  alignas(64) std::byte block[1024] = {};
  Arena arena(block);
  const auto bytes = arena.take<std::byte>(3);
  const auto words = arena.take<std::uint64_t>(4);
  const auto marked = arena.take<Marked>(2);
  EXPECT_EQ(bytes.size(), 3u);
  EXPECT_EQ(marked[1].value, 7u);
  for (const void* first : {static_cast<void*>(bytes.data()), static_cast<void*>(words.data()),
                            static_cast<void*>(marked.data())}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0u);
  }
  EXPECT_GE(reinterpret_cast<std::byte*>(words.data()), bytes.data() + bytes.size());
  EXPECT_GE(static_cast<void*>(marked.data()), static_cast<void*>(words.data() + words.size()));
}

template <class Take>
std::size_t used_by(Arena arena, Take take) {
  take(arena);
  return arena.used();
}

TEST(Arena, CountsWithoutABlockWhatItUsesWithOne) {
  const auto take = [](Arena& arena) {
    (void)arena.take<std::uint16_t>(5);
    (void)arena.take<std::uint64_t>(70);
    (void)arena.take<std::byte>(1);
  };
  std::vector<std::byte> block(4096);
  EXPECT_EQ(used_by(Arena({}), take), used_by(Arena(block), take));
}

TEST(Arena, GivesNothingWhileCounting) {
  Arena counting({});
  EXPECT_TRUE(counting.take<std::uint64_t>(5).empty());
  EXPECT_EQ(counting.used(), 40u);
}

TEST(ArenaDeathTest, StopsTheNodeWhenTheBlockIsTooSmall) {
  alignas(64) std::byte block[128] = {};
  Arena arena(block);
  EXPECT_EQ(arena.take<std::byte>(128).size(), 128u);
  EXPECT_DEATH((void)arena.take<std::byte>(1), "");
}

}  // namespace
}  // namespace plurix

// The struct area: what may stand there, where it stands, and that an abort does not touch it.
#include <gtest/gtest.h>
#include <plurix/local/struct_area.h>

#include "support/lone_node.h"

#include <array>
#include <cstdint>
#include <vector>

namespace plurix::testing {
namespace {

enum class Kind : std::uint8_t { kOne, kTwo };

struct Inner {
  std::uint16_t words[3];
  Kind kind;
};
struct Plain {
  std::int64_t number = 7;
  Inner inner[2];
  std::array<Inner, 2> more;
  bool flag;
};
struct Hidden {
  long number;
  Inner* inner;
};
struct Deep {
  std::array<Hidden, 2> hidden[2];
};
struct Function {
  void (*call)();
};
class Closed {
 public:
  int number() const { return number_; }

 private:
  int number_ = 0;
};

static_assert(LocalStruct<Plain> && LocalStruct<int> && LocalStruct<Kind>);
static_assert(!LocalStruct<Hidden> && !LocalStruct<Deep> && !LocalStruct<Function>);
static_assert(!LocalStruct<char*> && !LocalStruct<std::vector<int>>);
static_assert(!LocalStruct<Closed>, "what cannot be looked into may hold a pointer");

TEST(StructArea, PutsStructsOneBehindTheOtherWhereTheyAreAligned) {
  alignas(64) std::byte memory[256] = {};
  StructArea area{std::span<std::byte>(memory).subspan(1)};
  auto& first = area.make<Plain>();
  EXPECT_EQ(first.number, 7);
  const auto numbers = area.make_array<std::uint32_t>(3);
  auto& last = area.make<double>();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&first) % alignof(Plain), 0u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&last) % alignof(double), 0u);
  EXPECT_GE(reinterpret_cast<std::byte*>(numbers.data()), reinterpret_cast<std::byte*>(&first + 1));
  EXPECT_EQ(numbers[2], 0u);
  EXPECT_EQ(area.bytes_left(),
            static_cast<std::size_t>(std::end(memory) - reinterpret_cast<std::byte*>(&last + 1)));
}

TEST(StructArea, StopsTheNodeWhenThereIsNoRoom) {
  std::byte memory[16] = {};
  StructArea area(memory);
  EXPECT_DEATH((void)area.make_array<std::uint64_t>(3), "");
}

TEST(StructArea, OutlivesAnAbort) {
  std::byte memory[64] = {};
  StructArea area(memory);
  auto& executions = area.make<int>();
  LoneNode node(64);
  const auto outcome = node->try_run([&](Transaction& t) -> Verdict {
    ++executions;
    ++*t.root<int>("in the heap").mut();
    return t.cancel("enough");
  });
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(executions, 1);
  node->run([](Transaction& t) { EXPECT_FALSE(t.find<int>("in the heap")); });
}

}  // namespace
}  // namespace plurix::testing

// A program that comes to a heap which another one has filled.
#include <gtest/gtest.h>

#include "support/other_program.h"

#include <string>

namespace plurix::testing {
namespace {

/// The same name as in other_program.cc, and another layout.
struct Order {
  long number;
  int cents;
  int discount;
};
struct Unheard {
  long value;
};

template <class... Types>
std::string misuse_of_checking(LoneNode& node) {
  try {
    node->run([](Transaction& t) { t.check_layouts<Types...>(); });
  } catch (const Misuse& error) {
    return error.what();
  }
  return {};
}

TEST(CheckLayouts, NamesTypeAndFieldOfTheFirstThatDiffers) {
  LoneNode node;
  make_order_of_another_program(node);
  const auto words = misuse_of_checking<Unheard, Order>(node);
  EXPECT_TRUE(
      words.ends_with("::Order has another layout in the heap: they differ from field cents on"))
      << words;
}

TEST(CheckLayouts, MakesNoDescriptorAndTakesWhatTheHeapDoesNotKnow) {
  LoneNode node;
  EXPECT_EQ((misuse_of_checking<Unheard, Order>(node)), "");
  make_order_of_another_program(node);
  EXPECT_NE((misuse_of_checking<Order>(node)), "") << "looking has made a descriptor";
}

}  // namespace
}  // namespace plurix::testing

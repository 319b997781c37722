// A program whose type has grown since the heap was filled.
#include <gtest/gtest.h>

#include "support/other_program.h"

#include <string>

namespace plurix::testing {
namespace {

/// The same name as in other_program.cc, and another size.
struct Order {
  long number;
  long cents;
  long discount;
};

template <class Body>
std::string misuse_of(Body body) {
  LoneNode node;
  make_order_of_another_program(node);
  try {
    node->run(body);
  } catch (const Misuse& error) {
    return error.what();
  }
  return {};
}

TEST(AGrownType, IsNamedWithItsFirstNewFieldWhereverItIsUsed) {
  const auto by_root = misuse_of([](Transaction& t) { (void)t.root<Order>("order"); });
  const auto by_find = misuse_of([](Transaction& t) { (void)t.find<Order>("order"); });
  const auto by_make = misuse_of([](Transaction& t) { (void)t.make<Order>(); });
  EXPECT_TRUE(by_root.find("::Order has another layout in the heap") != std::string::npos)
      << by_root;
  EXPECT_NE(by_root.find("discount"), std::string::npos) << by_root;
  EXPECT_EQ(by_find, by_root);
  EXPECT_EQ(by_make, by_root);
}

}  // namespace
}  // namespace plurix::testing

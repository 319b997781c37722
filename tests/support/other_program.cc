#include "support/other_program.h"

namespace plurix::testing {
namespace {

struct Order {
  long number;
  long cents;
};

}  // namespace

void make_order_of_another_program(LoneNode& node) {
  node->run([](Transaction& t) { (void)t.root<Order>("order"); });
}

}  // namespace plurix::testing

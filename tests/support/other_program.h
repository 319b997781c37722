// What a program that was compiled from other sources has done to a heap.
#pragma once

#include "support/lone_node.h"

namespace plurix::testing {

/// Makes an `Order` in an unnamed namespace of this one: { long number; long cents; }.
void make_order_of_another_program(LoneNode& node);

}  // namespace plurix::testing

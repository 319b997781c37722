#include <plurix/commit/fair.h>

#include "node_runner.h"

namespace plurix::tool {

int run_fair_node(const NodeSettings& settings) { return run_with_strategy<Fair>(settings); }

}  // namespace plurix::tool

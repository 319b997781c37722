#include <plurix/commit/first_wins.h>

#include "node_runner.h"

namespace plurix::tool {

int run_first_wins_node(const NodeSettings& settings) {
  return run_with_strategy<FirstWins>(settings);
}

}  // namespace plurix::tool

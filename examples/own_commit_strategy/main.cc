// docs/your-own-policy.md: a commit strategy of one's own, under every fault the simulator knows.
// `--broken` does the same to a strategy with a mistake, and shows how it is found.
#include <plurix/sim/explore.h>

#include <iostream>

#include "oldest_first.h"

using namespace plurix;

int main(int argc, char** argv) {
  const bool broken = argc > 1 && std::string_view(argv[1]) == "--broken";
  const sim::ExploreOptions options{.seeds = 50, .nodes = 5, .transactions = 60};
  return sim::explore_main(argc, argv, options,
                           broken ? sim::run_case<OldestFirstOrNobody> : sim::run_case<OldestFirst>,
                           std::cout);
}

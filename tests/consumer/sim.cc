// A commit strategy of somebody else's, in the simulator under every fault.
#include <plurix/sim/explore.h>

#include <iostream>

struct YoungestFirst {
  plurix::NodeId grant(std::span<const plurix::TokenRequest> waiting,
                       plurix::CommitTime) const noexcept {
    return waiting.back().node;
  }
};

int main(int argc, char** argv) {
  return plurix::sim::explore_main(argc, argv, {.seeds = 5}, plurix::sim::run_case<YoungestFirst>,
                                   std::cout);
}

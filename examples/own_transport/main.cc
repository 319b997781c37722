// docs/your-own-policy.md: a transport of one's own, on the simulated network under every fault and
// between two real nodes over UDP. `--broken` explores a variant with a mistake instead.
#include <plurix/posix/node.h>
#include <plurix/sim/explore.h>

#include <unistd.h>
#include <iostream>
#include <string>
#include <thread>

#include "fragmenting.h"

using namespace plurix;

using RealNode = posix::BasicNode<Fair, NullTraceSink, Fragmenting>;

long count_to_two_hundred(const std::string& cluster) {
  RealNode here{{.cluster = cluster, .fault_source = posix::FaultSourceKind::kSoftware}};
  for (int i = 0; i < 100; ++i) {
    here.run([](Transaction& t) { ++*t.root<long>("counter").mut(); });
  }
  const auto outcome = here.try_run([](Transaction& t) {
    return *t.root<long>("counter") == 200 ? t.commit() : t.wait_for_change();
  });
  return outcome.committed() ? 200 : 0;
}

bool two_real_nodes_agree() {
  const auto cluster = "own_transport-" + std::to_string(getpid());
  long there = 0;
  std::thread neighbour([&] { there = count_to_two_hundred(cluster); });
  const long here = count_to_two_hundred(cluster);
  neighbour.join();
  std::cout << "two real nodes counted to " << here << " and " << there << "\n";
  return here == 200 && there == 200;
}

int main(int argc, char** argv) {
  const bool broken = argc > 1 && std::string_view(argv[1]) == "--broken";
  // A cluster that waits for a frame in vain is simulated for a minute; with recovery that is much.
  auto faults = sim::FaultMenu::all();
  faults.crash = !broken;
  const sim::ExploreOptions options{.seeds = 50, .nodes = 4, .transactions = 60, .faults = faults};
  const int found = sim::explore_main(
      argc, argv, options,
      broken ? sim::run_case<Fair, CarelesslyFragmenting> : sim::run_case<Fair, Fragmenting>,
      std::cout);
  if (argc > 1 || found != 0) return found;
  return two_real_nodes_agree() ? 0 : 1;
}

// run() retries until it commits, so its body has no way to refuse.
// expect: a body that may refuse (returns a Verdict) is run by try_run
#include <plurix/commit/fair.h>
#include <plurix/sim/cluster.h>

using Node = plurix::sim::Cluster<>::NodeType;

void body(Node& node) {
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  node.try_run([](plurix::Transaction& t) { return t.cancel("no"); });
#else
  node.run([](plurix::Transaction& t) { return t.cancel("no"); });
#endif
}

// docs/api.md: following a name wherever it leads. One node publishes new versions of a setting,
// the other is told of each; two nodes in one process, each on its own thread.
#include <plurix/name_watch.h>
#include <plurix/posix/node.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

using plurix::posix::FaultSourceKind;
using plurix::posix::Founding;

struct Config {
  int version;
};

/// The version the name leads to by now, once it has changed.
int next_version(plurix::posix::Node& here, plurix::NameWatch& watch) {
  int version = 0;
  (void)here.try_run([&](plurix::Transaction& t) -> plurix::Verdict {
    if (!watch.changed(t)) return t.wait_for_change();
    auto config = t.find<Config>(watch.path());
    version = config ? config->version : 0;
    return t.commit();
  });
  return version;
}

int main() {
  plurix::posix::Node here{{.cluster = "settings",
                            .bind = "127.0.0.1:0",
                            .found = Founding::kAlways,
                            .heap_bytes = 1 << 20,
                            .fault_source = FaultSourceKind::kSoftware}};
  std::thread publisher([seed = here.address()] {
    plurix::posix::Node there{{.cluster = "settings",
                               .bind = "127.0.0.1:0",
                               .seeds = {seed},
                               .found = Founding::kNever,
                               .heap_bytes = 1 << 20,
                               .fault_source = FaultSourceKind::kSoftware}};
    for (int version = 1; version <= 5; ++version) {
      there.run([version](plurix::Transaction& t) {
        auto config = t.make<Config>();
        config.mut()->version = version;
        t.replace("config/current", config);
      });
    }
    there.serve(there.now() + plurix::milliseconds(50));
  });
  plurix::NameWatch watch("config/current");
  int version = 0;
  int looks = 0;
  for (; version < 5; ++looks) version = next_version(here, watch);
  here.serve(here.now() + plurix::milliseconds(100));  // while the other one leaves
  publisher.join();
  std::printf("version %d, and never told twice of one\n", version);
  return looks <= 5 ? EXIT_SUCCESS : EXIT_FAILURE;
}

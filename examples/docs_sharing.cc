// docs/api.md: objects that two nodes have next to each other are moved apart. Two nodes in one
// process, each on its own thread, which only the software fault source allows.
#include <plurix/gc/false_sharing_monitor.h>
#include <plurix/posix/node.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

using plurix::posix::FaultSourceKind;
using plurix::posix::Founding;

struct Count {
  long value;
};

void count(plurix::posix::Node& here, const char* name) {
  plurix::gc::FalseSharingMonitor monitor;
  monitor.attach(here);
  for (int i = 0; i < 2'000; ++i) {
    here.run([&](plurix::Transaction& t) { ++t.root<Count>(name).mut()->value; });
    if (const auto found = monitor.relieve(here)) {
      std::printf("node %d: %s sharing of page %u\n", here.id(),
                  found->sharing == plurix::gc::Sharing::kFalse ? "false" : "true", found->page);
    }
  }
}

int main() {
  plurix::posix::Node here{{.cluster = "sharing",
                            .bind = "127.0.0.1:0",
                            .found = Founding::kAlways,
                            .fault_source = FaultSourceKind::kSoftware}};
  here.run([](plurix::Transaction& t) {  // next to each other
    t.root<Count>("left");
    t.root<Count>("right");
  });
  const auto address = here.address();
  std::atomic<bool> done = false;
  std::thread other([&] {
    {
      plurix::posix::Node there{{.cluster = "sharing",
                                 .bind = "127.0.0.1:0",
                                 .seeds = {address},
                                 .found = Founding::kNever,
                                 .fault_source = FaultSourceKind::kSoftware}};
      count(there, "right");
    }
    done = true;
  });
  count(here, "left");
  while (!done) here.serve(here.now() + plurix::milliseconds(5));
  other.join();
  const bool right = here.run([](plurix::Transaction& t) {
    return t.root<Count>("left")->value == 2'000 && t.root<Count>("right")->value == 2'000;
  });
  return right ? 0 : 1;
}

// docs/api.md: a transaction that sleeps until what it has read changes. Two nodes in one process,
// each on its own thread, which only the software fault source allows.
#include <plurix/posix/node.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

using plurix::posix::FaultSourceKind;
using plurix::posix::Founding;

struct Mailbox {
  int full;
  int letter;
};

int receive(plurix::posix::Node& here) {
  int letter = 0;
  const auto outcome = here.try_run([&](plurix::Transaction& t) -> plurix::Verdict {
    auto mailbox = t.root<Mailbox>("mailbox");
    if (!mailbox->full) return t.wait_for_change();
    letter = mailbox->letter;
    mailbox.mut()->full = 0;
    return t.commit();
  });
  return outcome.committed() ? letter : 0;
}

void send(plurix::posix::Node& here, int letter) {
  (void)here.try_run([&](plurix::Transaction& t) -> plurix::Verdict {
    auto mailbox = t.root<Mailbox>("mailbox");
    if (mailbox->full) return t.wait_for_change();
    mailbox.mut()->letter = letter;
    mailbox.mut()->full = 1;
    return t.commit();
  });
}

int main() {
  plurix::posix::Node here{{.cluster = "mailbox",
                            .bind = "127.0.0.1:0",
                            .found = Founding::kAlways,
                            .heap_bytes = 1 << 20,
                            .fault_source = FaultSourceKind::kSoftware}};
  std::atomic<bool> gone = false;
  std::thread sender([&gone, seed = here.address()] {
    {
      plurix::posix::Node there{{.cluster = "mailbox",
                                 .bind = "127.0.0.1:0",
                                 .seeds = {seed},
                                 .found = Founding::kNever,
                                 .heap_bytes = 1 << 20,
                                 .fault_source = FaultSourceKind::kSoftware}};
      for (int letter = 1; letter <= 5; ++letter) send(there, letter);
    }  // leaves: hands what it owns over to the other node
    gone = true;
  });
  int sum = 0;
  for (int i = 0; i < 5; ++i) sum += receive(here);
  while (!gone) here.serve(here.now() + plurix::milliseconds(10));
  sender.join();
  std::printf("five letters, sum %d\n", sum);
  return sum == 15 ? EXIT_SUCCESS : EXIT_FAILURE;
}

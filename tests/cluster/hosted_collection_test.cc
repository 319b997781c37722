// A hosted node frees what its program has dropped without being asked.
#include <gtest/gtest.h>
#include <plurix/posix/node.h>

#include <unistd.h>
#include <string>

namespace plurix {
namespace {

struct Bead {
  long number;
  Link<Bead> next;
  Link<Bead> before;
  char weight[100] = {};
};
struct String {
  Link<Bead> first;
};

posix::NodeOptions options(bool collect = true) {
  return {.cluster = "collection-" + std::to_string(::getpid()),
          .bind = "127.0.0.1:0",
          .found = posix::Founding::kAlways,
          .heap_bytes = std::uint64_t{2} << 20,
          .collect = collect};
}

/// Replaces the ring of beads by a new one.
void string_beads(Transaction& t) {
  const auto first = t.make<Bead>(0);
  auto last = first;
  for (long i = 1; i < 100; ++i) {
    const auto next = t.make<Bead>(i);
    last.mut()->next = next;
    next.mut()->before = last;
    last = next;
  }
  last.mut()->next = first;
  first.mut()->before = last;
  t.root<String>("string").mut()->first = first;
}

TEST(HostedCollection, KeepsUpWithAProgramThatDropsRingsAllTheTime) {
  posix::Node node(options());
  for (int i = 0; i < 2'000; ++i) node.run(string_beads);  // sixteen times what the heap holds
  EXPECT_GT((**node.collector()).collector().counters().freed, 100'000U);
}

TEST(HostedCollection, IsLeftToTheProgramOnRequest) {
  posix::Node node(options(false));
  EXPECT_EQ(node.collector(), nullptr);
  EXPECT_THROW(for (int i = 0; i < 2'000; ++i) node.run(string_beads), OutOfMemory);
}

TEST(HostedCollection, GoesOnWhileTheNodeServes) {
  posix::Node node(options());
  node.run(string_beads);
  node.run([](Transaction& t) { t.root<String>("string").mut()->first = nullptr; });
  const auto limit = node.now() + milliseconds(10'000);
  const auto& counters = (**node.collector()).collector().counters();
  while (counters.freed < 100 && node.now() < limit) node.serve(node.now() + milliseconds(1));
  EXPECT_EQ(counters.freed, 100U);
}

TEST(HostedCollection, GoesOnWhileTheProgramReadsOnly) {
  posix::Node node(options());
  node.run(string_beads);
  node.run([](Transaction& t) { t.root<String>("string").mut()->first = nullptr; });
  const auto& counters = (**node.collector()).collector().counters();
  for (int i = 0; i < 10'000 && counters.freed < 100; ++i) {
    (void)node.read_only(Freshness::kSnapshot,
                         [](Transaction& t) { return t.find<String>("string") == nullptr; });
  }
  EXPECT_EQ(counters.freed, 100U);
}

struct Notice {
  Link<Bead> bead;
};

TEST(HostedCollection, IsDoneBeforeTheProgramWaitsForAChange) {
  posix::Node node(options());
  node.run(string_beads);
  node.run([](Transaction& t) {
    t.root<Notice>("notice").mut()->bead.assign_weak(t.root<String>("string")->first);
    t.root<String>("string").mut()->first = nullptr;
  });
  // It would wait for ever: nobody else is there to change anything.
  const auto outcome = node.try_run([](Transaction& t) -> Verdict {
    return t.root<Notice>("notice")->bead ? t.wait_for_change() : t.commit();
  });
  EXPECT_TRUE(outcome.committed());
}

TEST(HostedCollection, DoesNotMeddleWithATransactionThatIsPartOfAnother) {
  posix::Node node(options());
  node.run([&](Transaction& t) {
    for (int i = 0; i < 100; ++i) {
      node.run([](Transaction& inner) { (void)inner.root<String>("string"); });
    }
    string_beads(t);
  });
  EXPECT_EQ((**node.collector()).counters().steps, 0U);
}

}  // namespace
}  // namespace plurix

// One node on the bare machine, alone in its cluster: commits, objects, and the ways in which a
// body is left.
#include <gtest/gtest.h>
#include <plurix/commit/first_wins.h>
#include <plurix/heap/verify.h>
#include <plurix/local/smart_buffer.h>

#include <plurix/baremetal/node.h>
#include <plurix/baremetal/text_screen.h>

#include <memory>

#include "support/test_machine.h"

namespace plurix::baremetal {
namespace {

using TestNode = BasicNode<NoNetwork, FirstWins>;

NodeConfig config() noexcept {
  NodeConfig config;
  config.core.geometry.pages = 2048;
  config.core.shadow_pages = 256;
  config.core.log_records = 1024;
  config.core.log_words = 16384;
  return config;
}

struct World {
  Machine& machine = qemu_test::machine();
  PageTableFaultSource faults{machine.memory, config().core.geometry};
  InterruptSleep sleep{machine.clock, machine.alarm};
  NoNetwork net{sleep};
  NullTraceSink trace;
  TestNode node{machine, config(), faults, net, trace};
};

World& world() noexcept {
  alignas(World) static constinit std::byte storage[sizeof(World)];
  static constinit World* world = nullptr;
  if (world == nullptr) {
    world = std::construct_at(reinterpret_cast<World*>(storage));
    world->node.core().found();
  }
  return *world;
}

auto& node() noexcept { return world().node.core(); }

struct Item {
  long value = 0;
  Link<Item> next;
};
struct List {
  Link<Item> head;
  long size = 0;
};

TEST(Node, CommitsATransactionOnTheHeap) {
  for (int i = 0; i < 100; ++i) node().run([](Transaction& t) { ++*t.root<long>("count").mut(); });
  EXPECT_EQ(node().run([](Transaction& t) { return *t.root<long>("count"); }), 100);
  EXPECT_GE(node().commit_time().value, 100U);
}

TEST(Node, LinksObjectsAndTheHeapIsSound) {
  for (long i = 0; i < 200; ++i) {
    node().run([i](Transaction& t) {
      auto list = t.root<List>("list");
      auto item = t.make<Item>();
      item.mut()->value = i;
      item.mut()->next = list->head;
      list.mut()->head = item;
      ++list.mut()->size;
    });
  }
  const auto report = node().run([](Transaction& t) { return verify_heap(t); });
  EXPECT_TRUE(report.ok());
  EXPECT_GT(report.objects, 200U);
}

TEST(Node, FollowsPlainPointersThroughPageFaults) {
  const auto before = node().counters().faults;
  const auto sum = node().run([](Transaction& t) {
    const auto* list = t.raw(t.root<List>("list"));
    const auto item_of = [](const Link<Item>& link) {
      return link ? reinterpret_cast<const Item*>(kDefaultHeapBase + link.target()) : nullptr;
    };
    long total = 0;
    for (const auto* item = item_of(list->head); item != nullptr; item = item_of(item->next)) {
      total += item->value;
    }
    return total;
  });
  EXPECT_EQ(sum, 199 * 200 / 2);
  EXPECT_GE(node().counters().faults, before);
}

TEST(Node, TakesBackWhatACancelledBodyWrote) {
  const auto outcome = node().try_run([](Transaction& t) -> Verdict {
    *t.root<long>("count").mut() = -1;
    return t.cancel("on purpose");
  });
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(node().run([](Transaction& t) { return *t.root<long>("count"); }), 100);
}

struct Lines {
  unsigned writes = 0;
  char text[64] = {};
  std::size_t size = 0;

  void write(std::string_view bytes) noexcept {
    ++writes;
    for (const char byte : bytes) text[size++] = byte;
  }
};

/// Executes `body` twice: the first execution is taken back.
template <class Body>
void run_with_an_abort(Body body) {
  (void)node().try_run([&](Transaction& t) -> Verdict {
    body(t);
    return t.cancel("taken back");
  });
  node().run(body);
}

TEST(SmartBuffers, SendOnceAndReadAgainAfterAnAbort) {
  Lines lines;
  OutputBuffer<Lines, 64> output(lines);
  InputBuffer<char, 8> input;
  for (const char key : {'a', 'b', 'c'}) EXPECT_TRUE(input.push(key));
  for (int i = 0; i < 2; ++i) {
    run_with_an_abort([&](Transaction& t) {
      const char key = t.use(input).read().value_or('?');
      EXPECT_TRUE(t.use(output).write({&key, 1}));
      EXPECT_EQ(lines.writes, static_cast<unsigned>(i));
    });
  }
  EXPECT_TRUE(std::string_view(lines.text, lines.size) == "ab");
  EXPECT_EQ(lines.writes, 2U);
}

TEST(SmartBuffers, RefuseWhatTheyCannotHold) {
  Lines lines;
  OutputBuffer<Lines, 4> output(lines);
  EXPECT_TRUE(output.write("abc"));
  EXPECT_FALSE(output.write("de"));
  EXPECT_EQ(output.pending(), 3U);
  InputBuffer<char, 2> input;
  for (const char key : {'a', 'b', 'c'}) (void)input.push(key);
  EXPECT_EQ(input.lost(), 1U);
}

TEST(TextScreen, ShowsCommitsAndIsRestoredByAborts) {
  static constinit std::uint16_t cells[TextScreen::kColumns * TextScreen::kRows] = {};
  TextScreen screen(cells);
  node().run([&](Transaction& t) { t.use(screen).draw(3, 70, "hello, this is cut off"); });
  EXPECT_EQ(screen.at(3, 70), 'h');
  EXPECT_EQ(screen.at(3, 79), 'i');
  EXPECT_EQ(screen.at(4, 0), ' ');
  run_with_an_abort([&](Transaction& t) {
    EXPECT_EQ(screen.at(5, 0), ' ');
    const char attempt[] = {static_cast<char>('a' + t.attempt())};
    t.use(screen).draw(5, 0, {attempt, 1});
  });
  EXPECT_EQ(screen.at(5, 0), 'b');
  (void)node().try_run([&](Transaction& t) -> Verdict {
    t.use(screen).draw(3, 70, "lost");
    return t.cancel("taken back");
  });
  node().run([&](Transaction& t) { t.use(screen).draw(6, 0, "x"); });
  EXPECT_EQ(screen.at(3, 70), 'h');
  EXPECT_EQ(screen.at(6, 0), 'x');
}

TEST(Node, ServesWithTheProcessorAsleep) {
  const auto begin = world().machine.clock.now();
  node().serve(begin + milliseconds(30));
  EXPECT_GE((world().machine.clock.now() - begin).ns, 30'000'000);
}

}  // namespace
}  // namespace plurix::baremetal

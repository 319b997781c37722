// Watching a name: each committed change is told once, and a waiting watcher is woken by it.
#include <gtest/gtest.h>
#include <plurix/name_watch.h>
#include <plurix/sim/cluster.h>

#include <string>
#include <vector>

#include "support/lone_node.h"

namespace plurix::testing {
namespace {

struct Setting {
  long value;
};
struct alignas(kPageSize) Progress {
  long seen;
};

/// What a watch tells: the value under the name, -1 without one; nothing if nothing changed.
std::string told(LoneNode& node, NameWatch& watch) {
  return node->run([&](Transaction& t) -> std::string {
    if (!watch.changed(t)) return "";
    const auto setting = t.find<Setting>(watch.path());
    return std::to_string(setting ? setting->value : -1);
  });
}

void set(Transaction& t, long value) { t.replace("config/current", t.make<Setting>(value)); }

TEST(NameWatch, TellsWhenANameIsMadeReplacedMovedAndRemoved) {
  LoneNode node;
  NameWatch watch("config/current");
  EXPECT_EQ(told(node, watch), "");
  node->run([](Transaction& t) { set(t, 1); });
  EXPECT_EQ(told(node, watch), "1");
  EXPECT_EQ(told(node, watch), "");
  node->run([](Transaction& t) { t.find<Setting>("config/current").mut()->value = 5; });
  EXPECT_EQ(told(node, watch), "") << "the name is watched, not the object";
  node->run([](Transaction& t) { set(t, 2); });
  EXPECT_EQ(told(node, watch), "2");
  node->run([](Transaction& t) { (void)t.relocate(t.find<Setting>("config/current")); });
  EXPECT_EQ(told(node, watch), "2");
  node->run([](Transaction& t) { EXPECT_TRUE(t.remove_name("config/current")); });
  EXPECT_EQ(told(node, watch), "-1");
  EXPECT_EQ(told(node, watch), "");
}

TEST(NameWatch, ForgetsWhatACancelledTransactionSaw) {
  LoneNode node;
  NameWatch watch("config/current");
  node->run([](Transaction& t) { set(t, 1); });
  const auto outcome = node->try_run([&](Transaction& t) -> Verdict {
    EXPECT_TRUE(watch.changed(t));
    return t.cancel("not now");
  });
  EXPECT_TRUE(outcome.cancelled());
  EXPECT_EQ(told(node, watch), "1");
}

TEST(NameWatch, WakesAWaitingNodeForEachChange) {
  using Cluster = sim::Cluster<Fair>;
  Cluster cluster({.nodes = 3, .seed = 5, .heap_pages = 96});
  constexpr long kChanges = 20;
  std::vector<long> seen;
  cluster.run([&](Cluster::NodeType& node, std::size_t index) {
    if (index == 0) {
      for (long i = 1; i <= kChanges; ++i) {
        (void)node.try_run([&](Transaction& t) -> Verdict {
          if (t.root<Progress>("progress")->seen < i - 1) return t.wait_for_change();
          if (i % 5 == 0) {
            EXPECT_TRUE(t.remove_name("config/current"));
          } else {
            set(t, i);
          }
          return t.commit();
        });
      }
    } else if (index == 1) {
      NameWatch watch("config/current");
      for (long i = 0; i < kChanges; ++i) {
        long value = 0;
        (void)node.try_run([&](Transaction& t) -> Verdict {
          if (!watch.changed(t)) return t.wait_for_change();
          const auto setting = t.find<Setting>(watch.path());
          value = setting ? setting->value : -1;
          ++t.root<Progress>("progress").mut()->seen;
          return t.commit();
        });
        seen.push_back(value);
      }
    }
  });
  std::vector<long> made;
  for (long i = 1; i <= kChanges; ++i) made.push_back(i % 5 == 0 ? -1 : i);
  EXPECT_EQ(seen, made);
}

}  // namespace
}  // namespace plurix::testing

// The monitor of false sharing on simulated nodes: it names what collides, tells false from true
// sharing, and moves what is falsely shared, but not for ever.
#include <gtest/gtest.h>
#include <plurix/gc/false_sharing_monitor.h>
#include <plurix/heap/verify.h>
#include <plurix/sim/cluster.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "support/lone_node.h"

namespace plurix::testing {
namespace {

using gc::FalseSharingMonitor;
using gc::Sharing;
using gc::SharingPolicy;
using gc::SharingReport;

constexpr std::size_t kNodes = 3;

struct Word {
  long value;
};
struct Table {
  Link<Word> words[8];
};
struct alignas(kPageSize) Phase {
  long number;
};

/// Nodes that work on words which node 0 has made, with a monitor each.
class SharingTest : public ::testing::Test {
 protected:
  using Cluster = sim::Cluster<Fair>;
  using Node = Cluster::NodeType;

  SharingTest() : cluster_(options()) {
    for (std::size_t i = 0; i < kNodes; ++i) {
      monitors_.push_back(std::make_unique<FalseSharingMonitor>());
    }
  }

  static sim::ClusterOptions options() {
    sim::ClusterOptions options;
    options.nodes = kNodes;
    options.seed = 11;
    options.heap_pages = 96;
    return options;
  }

  void set_up(Node& node, std::size_t index) {
    monitors_[index]->attach(node);
    if (index != 0) return;
    node.run([](Transaction& t) {
      const auto table = t.root<Table>("table");
      for (auto& word : table.mut()->words) word = t.make<Word>(0);
      t.root<Phase>("phase");
    });
  }

  static Ref<Word> word(Transaction& t, std::size_t i) {
    return t.find<Table>("table")->words[i].ref();
  }

  void add_one(Node& node, std::size_t index, std::size_t i) {
    (void)node.try_run([&](Transaction& t) -> Verdict {
      const auto table = t.find<Table>("table");
      if (!table) return t.wait_for_change();
      ++table->words[i].ref().mut()->value;
      return t.commit();
    });
    if (const auto report = monitors_[index]->relieve(node)) reports_.push_back(*report);
  }

  /// Runs `work(node, index)` everywhere, and looks at the words when all have ended.
  template <class Work>
  void run(Work work) {
    std::size_t ended = 0;
    cluster_.run([&](Node& node, std::size_t index) {
      set_up(node, index);
      work(node, index);
      if (++ended < kNodes) return;
      node.run([&](Transaction& t) {
        table_ = page_of(t.find<Table>("table").offset());
        table_placement_ = heap::page_entry(t, table_).placement;
        heap_ = verify_heap(t);
        word_5_ = word(t, 5).offset();
        for (std::size_t i = 0; i < 8; ++i) {
          pages_[i] = page_of(word(t, i).offset());
          placements_[i] = heap::page_entry(t, pages_[i]).placement;
          values_[i] = word(t, i)->value;
        }
      });
    });
    EXPECT_EQ(to_words(heap_), "");
  }

  std::uint64_t moved() const {
    std::uint64_t sum = 0;
    for (const auto& monitor : monitors_) sum += monitor->counters().moved;
    return sum;
  }

  Cluster cluster_;
  std::vector<std::unique_ptr<FalseSharingMonitor>> monitors_;
  std::vector<SharingReport> reports_;
  HeapReport heap_;
  PageIndex table_ = 0;
  std::uint64_t word_5_ = 0;
  PageIndex pages_[8] = {};
  Placement table_placement_ = Placement::kReadWrite;
  Placement placements_[8] = {};
  long values_[8] = {};
};
using FalseSharing = SharingTest;
using TrueSharing = SharingTest;

TEST_F(FalseSharing, IsDissolvedByMovingEachNodesObjectsToItsPages) {
  run([&](Node& node, std::size_t index) {
    for (int i = 0; i < 200; ++i) add_one(node, index, index);
  });
  EXPECT_EQ((std::set<PageIndex>{pages_[0], pages_[1], pages_[2]}.size()), kNodes);
  EXPECT_EQ(pages_[3], pages_[0]) << "what nobody uses stays where it is";
  for (std::size_t i = 0; i < kNodes; ++i) EXPECT_EQ(values_[i], 200);
  EXPECT_NE(table_, pages_[0]) << "who only reads the table collides with node 0's word";
  EXPECT_EQ(table_placement_, Placement::kReadOnly);
  for (std::size_t i = 0; i < kNodes; ++i) EXPECT_EQ(placements_[i], Placement::kReadWrite);
  EXPECT_EQ(moved(), 3u) << "node 0, on whose pages the words are, has nothing to move";
}

TEST_F(FalseSharing, IsToldWithTheObjectsOfBothSides) {
  for (auto& monitor : monitors_) monitor->set_policy(SharingPolicy::kReport);
  std::map<std::uint64_t, std::size_t> owner;
  run([&](Node& node, std::size_t index) {
    for (int i = 0; i < 200; ++i) add_one(node, index, index);
    node.run([&](Transaction& t) {
      owner[word(t, index).offset()] = t.node_id();
      owner[t.find<Table>("table").offset()] = kNodes;  // all read it
    });
  });
  ASSERT_FALSE(reports_.empty());
  EXPECT_EQ(moved(), 0u);
  for (const auto& report : reports_) {
    EXPECT_EQ(report.sharing, Sharing::kFalse);
    EXPECT_GE(report.collisions, FalseSharingMonitor::kPatience);
    std::set<std::size_t> ours, theirs;
    for (const auto& object : report.objects) {
      ASSERT_EQ(owner.count(object.body), 1u) << "an object that nobody uses";
      EXPECT_NE(object.ours, object.theirs);
      if (owner[object.body] == kNodes) continue;
      EXPECT_EQ(object.written, object.ours);
      (object.ours ? ours : theirs).insert(owner[object.body]);
    }
    ASSERT_LE(ours.size(), 1u);
    ASSERT_FALSE(theirs.empty());
    for (const auto node : theirs) EXPECT_TRUE(report.others >> node & 1) << "node " << node;
    for (const auto node : ours) EXPECT_FALSE(report.others >> node & 1);
  }
}

TEST_F(TrueSharing, IsToldAndLeftAlone) {
  run([&](Node& node, std::size_t index) {
    for (int i = 0; i < 200; ++i) add_one(node, index, 5);
  });
  EXPECT_EQ(moved(), 0u);
  EXPECT_EQ(values_[5], 600);
  ASSERT_FALSE(reports_.empty());
  EXPECT_LE(reports_.size(), kNodes) << "it is told once by each node";
  for (const auto& report : reports_) {
    EXPECT_EQ(report.sharing, Sharing::kTrue);
    std::size_t both = 0;
    for (const auto& object : report.objects) {
      if (!object.ours || !object.theirs) continue;
      ++both;
      EXPECT_EQ(object.body, word_5_);
    }
    EXPECT_EQ(both, 1u);
  }
}

// Nodes 1 and 2 use word 3 by turns, while the other one writes what it has beside it.
TEST_F(FalseSharing, ThatComesAgainIsDissolvedEachTimeLater) {
  constexpr int kPhases = 24;
  long turns[kNodes] = {};
  run([&](Node& node, std::size_t index) {
    for (int phase = 0; phase < kPhases; ++phase) {
      for (int i = 0; i < 60; ++i) {
        const bool turn = index == 1u + static_cast<std::size_t>(phase) % 2;
        add_one(node, index, turn ? 3 : index);
        turns[index] += turn ? 1 : 0;
      }
      node.run([&](Transaction& t) { ++t.root<Phase>("phase").mut()->number; });
      (void)node.try_run([&](Transaction& t) -> Verdict {
        const auto all = static_cast<long>(kNodes) * (phase + 1);
        if (t.root<Phase>("phase")->number < all) return t.wait_for_change();
        return t.commit();
      });
    }
  });
  EXPECT_EQ(values_[3], turns[1] + turns[2]);
  EXPECT_GE(moved(), 3u);
  EXPECT_LE(moved(), 12u) << "word 3 goes to and fro";
}

TEST(FalseSharingMonitor, CostsALoneNodeNothingAndFindsNothing) {
  LoneNode node;
  FalseSharingMonitor monitor;
  monitor.attach(node.node());
  for (int i = 0; i < 100; ++i) {
    node->run([](Transaction& t) { ++t.root<Word>("word").mut()->value; });
    EXPECT_FALSE(monitor.relieve(node.node()));
  }
  EXPECT_EQ(monitor.counters().collisions, 0u);
}

}  // namespace
}  // namespace plurix::testing

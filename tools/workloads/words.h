// counter, disjoint, falseshare: nodes add one to a word, again and again. Each word is an object
// of its own, found through a table of links; what differs is only where the words stand: one for
// all, one a page, or all next to each other.
#pragma once

#include "workloads/workload.h"

namespace plurix::workloads {

/// `Place::index(node)` is the node's word, `Place::kBytes` the size of the object it is in.
template <class Place>
class Words {
 public:
  static constexpr std::string_view kName = Place::kName;

  static std::string key_name(std::uint64_t key) { return "w" + std::to_string(key); }

  template <class Node>
  void setup(Node& node, Recorder& recorder) {
    recorder.update(node, [](Transaction& t, Notes&) { words(t); });
  }

  template <class Node>
  Status step(Node& node, Recorder& recorder, Prng&) {
    const auto index = Place::index(node.id());
    const auto outcome = recorder.update(node, [&](Transaction& t, Notes& notes) {
      const Ref<Word> word = words(t)->words[index];
      const auto value = word->value;
      notes.read(index, value);
      word.mut()->value = value + 1;
      notes.write(index, value + 1);
    });
    if (outcome.committed()) recorder.add_effects(1);
    return outcome.status;
  }

  template <class Node>
  Verification verify(Node& node) {
    const auto outcome = node.read_only(Freshness::kLatest, [](Transaction& t) {
      const auto table = t.root<Table>(kName);
      std::int64_t sum = 0;
      for (const auto& word : table->words) sum += word->value;
      return sum;
    });
    if (!outcome.committed()) return unread(kName, outcome.reason);
    return {.ok = true,
            .words = "the words add up to " + std::to_string(*outcome.value),
            .numbers = {{"sum", *outcome.value}},
            .counts_effects = true,
            .effects = static_cast<std::uint64_t>(*outcome.value)};
  }

 private:
  struct Word {
    std::int64_t value = 0;
    char rest[Place::kBytes - sizeof(std::int64_t)] = {};
  };
  struct Table {
    Link<Word> words[Place::kWords];
  };

  /// Made on first use: an attempt may run on a snapshot from before the setup's commit. Apart from
  /// the words, because it is only read from then on.
  static Ref<Table> words(Transaction& t) {
    if (const auto table = t.find<Table>(kName)) return table;
    const auto table = t.make_in<Table>(Placement::kReadOnly);
    for (auto& word : table.mut()->words) word = t.make<Word>();
    (void)t.publish(kName, table);
    return table;
  }
};

struct OneForAll {
  static constexpr std::string_view kName = "counter";
  static constexpr std::size_t kWords = 1;
  static constexpr std::size_t kBytes = 16;
  static constexpr std::size_t index(NodeId) noexcept { return 0; }
};

struct OneAPage {
  static constexpr std::string_view kName = "disjoint";
  static constexpr std::size_t kWords = kMaxNodes;
  static constexpr std::size_t kBytes = kPageSize / 2 + 64;  ///< no two fit a page
  static constexpr std::size_t index(NodeId node) noexcept { return node; }
};

struct NextToEachOther {
  static constexpr std::string_view kName = "falseshare";
  static constexpr std::size_t kWords = kMaxNodes;
  static constexpr std::size_t kBytes = 16;
  static constexpr std::size_t index(NodeId node) noexcept { return node; }
};

using Counter = Words<OneForAll>;
using Disjoint = Words<OneAPage>;
using FalseShare = Words<NextToEachOther>;

}  // namespace plurix::workloads

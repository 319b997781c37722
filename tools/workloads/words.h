// counter, disjoint, falseshare: nodes add one to a word, again and again. What differs is only
// where the words stand: one for all, one a page, or all on one page.
#pragma once

#include "workloads/workload.h"

namespace plurix::workloads {

/// `Place::index(node)` is the node's word, `Place::kStride` how far words are apart, in words.
template <class Place>
class Words {
 public:
  static constexpr std::string_view kName = Place::kName;

  static std::string key_name(std::uint64_t key) { return "w" + std::to_string(key); }

  template <class Node>
  void setup(Node& node, Recorder& recorder) {
    recorder.update(node, [](Transaction& t, Notes&) { t.root<Table>(kName); });
  }

  template <class Node>
  Status step(Node& node, Recorder& recorder, Prng&) {
    const auto index = Place::index(node.id());
    const auto outcome = recorder.update(node, [&](Transaction& t, Notes& notes) {
      const auto word = word_at(t.root<Table>(kName), index);
      const auto value = *word;
      notes.read(index, value);
      *word.mut() = value + 1;
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
      for (std::size_t i = 0; i < Place::kWords; ++i) sum += *word_at(table, i);
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
  struct Table {
    std::int64_t words[Place::kWords * Place::kStride] = {};
  };

  static Ref<std::int64_t> word_at(const Ref<Table>& table, std::size_t index) {
    return table.element(&Table::words, index * Place::kStride);
  }
};

struct OneForAll {
  static constexpr std::string_view kName = "counter";
  static constexpr std::size_t kWords = 1;
  static constexpr std::size_t kStride = 1;
  static constexpr std::size_t index(NodeId) noexcept { return 0; }
};

struct OneAPage {
  static constexpr std::string_view kName = "disjoint";
  static constexpr std::size_t kWords = kMaxNodes;
  static constexpr std::size_t kStride = kPageSize / sizeof(std::int64_t);
  static constexpr std::size_t index(NodeId node) noexcept { return node; }
};

struct AllOnOnePage {
  static constexpr std::string_view kName = "falseshare";
  static constexpr std::size_t kWords = kMaxNodes;
  static constexpr std::size_t kStride = 1;
  static constexpr std::size_t index(NodeId node) noexcept { return node; }
};

using Counter = Words<OneForAll>;
using Disjoint = Words<OneAPage>;
using FalseShare = Words<AllOnOnePage>;

}  // namespace plurix::workloads

// registers: every write is a number nobody else writes, so that a history tells exactly which
// write each read has seen. Eight registers a page on some pages, one a page on others.
#pragma once

#include "workloads/workload.h"

namespace plurix::workloads {

class Registers {
 public:
  static constexpr std::string_view kName = "registers";
  static constexpr std::uint64_t kShared = 32;  ///< eight to a page
  static constexpr std::uint64_t kAlone = 16;   ///< a page each
  static constexpr std::uint64_t kKeys = kShared + kAlone;

  static std::string key_name(std::uint64_t key) { return "k" + std::to_string(key); }

  template <class Node>
  void setup(Node& node, Recorder& recorder) {
    recorder.update(node, [](Transaction& t, Notes&) { t.root<Table>("registers"); });
  }

  template <class Node>
  Status step(Node& node, Recorder& recorder, Prng& prng) {
    ++steps_;
    const Plan plan = draw(node.id(), recorder.incarnation(), prng);
    if (steps_ % 8 == 0) {
      const auto freshness = steps_ % 16 == 0 ? Freshness::kLatest : Freshness::kSnapshot;
      return recorder
          .read(node, freshness,
                [&](Transaction& t, Notes& notes) {
                  // A cluster that has lost all of it begins anew: an update makes it again.
                  const auto table = t.find<Table>("registers");
                  if (!table) return;
                  for (std::size_t i = 0; i < plan.reads; ++i) read(table, notes, plan.read[i]);
                })
          .status;
    }
    return recorder
        .update(node, [&](Transaction& t, Notes& notes) { return carry_out(t, notes, plan); })
        .status;
  }

  template <class Node>
  Verification verify(Node& node) {
    const auto outcome = node.read_only(Freshness::kLatest, [](Transaction& t) {
      const auto table = t.find<Table>("registers");
      if (!table) return std::int64_t{0};
      std::int64_t written = 0;
      for (std::uint64_t key = 0; key < kKeys; ++key) written += *cell(table, key) != 0 ? 1 : 0;
      return written;
    });
    if (!outcome.committed()) return unread(kName, outcome.reason);
    return {.ok = true,
            .words = std::to_string(*outcome.value) + " of " + std::to_string(kKeys) +
                     " registers were written",
            .numbers = {{"written", *outcome.value}}};
  }

 private:
  struct Page {
    std::int64_t values[kPageSize / sizeof(std::int64_t)] = {};
  };
  struct Table {
    Page pages[kShared / 8 + kAlone];
  };
  struct Plan {
    std::size_t reads = 0;
    std::size_t writes = 0;
    std::uint64_t read[4] = {};
    std::uint64_t write[3] = {};
    std::int64_t number[3] = {};
    bool refuse = false;
  };

  static Ref<std::int64_t> cell(const Ref<Table>& table, std::uint64_t key) {
    const auto page = key < kShared ? key / 8 : kShared / 8 + (key - kShared);
    const auto slot = key < kShared ? (key % 8) * 8 : 0;
    return table.element(&Table::pages, page).element(&Page::values, slot);
  }

  static void read(const Ref<Table>& table, Notes& notes, std::uint64_t key) {
    notes.read(key, *cell(table, key));
  }

  Plan draw(NodeId node, std::uint32_t incarnation, Prng& prng) {
    Plan plan;
    plan.reads = 1 + prng.below(4);
    plan.writes = 1 + prng.below(3);
    for (std::size_t i = 0; i < plan.reads; ++i) plan.read[i] = prng.below(kKeys);
    for (std::size_t i = 0; i < plan.writes; ++i) {
      // Half of the writes overwrite what was read, which makes lost updates visible.
      plan.write[i] = prng.below(2) == 0 ? plan.read[i % plan.reads] : prng.below(kKeys);
      plan.number[i] = numbers_.next(node, incarnation);
    }
    plan.refuse = prng.below(64) == 0;
    return plan;
  }

  static Verdict carry_out(Transaction& t, Notes& notes, const Plan& plan) {
    const auto table = t.root<Table>("registers");
    for (std::size_t i = 0; i < plan.reads; ++i) read(table, notes, plan.read[i]);
    for (std::size_t i = 0; i < plan.writes; ++i) {
      *cell(table, plan.write[i]).mut() = plan.number[i];
      notes.write(plan.write[i], plan.number[i]);
    }
    return plan.refuse ? t.cancel("now and then one refuses") : t.commit();
  }

  UniqueNumbers numbers_;
  std::uint64_t steps_ = 0;
};

}  // namespace plurix::workloads

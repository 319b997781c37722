// append: lists that only grow. A read gives the whole list, so each one shows the order of all
// appends before it. A full list is renewed under another name: k3.0, k3.1, …
#pragma once

#include "workloads/workload.h"

namespace plurix::workloads {

class Append {
 public:
  static constexpr std::string_view kName = "append";
  static constexpr std::uint64_t kShared = 8;  ///< four to a page
  static constexpr std::uint64_t kAlone = 4;   ///< a page each
  static constexpr std::uint64_t kLists = kShared + kAlone;
  static constexpr std::uint64_t kCapacity = 126;

  static std::string key_name(std::uint64_t key) {
    return "k" + std::to_string(key % kLists) + "." + std::to_string(key / kLists);
  }

  template <class Node>
  void setup(Node& node, Recorder& recorder) {
    recorder.update(node, [](Transaction& t, Notes&) { t.root<Table>("append"); });
  }

  template <class Node>
  Status step(Node& node, Recorder& recorder, Prng& prng) {
    ++steps_;
    const std::uint64_t read = prng.below(kLists);
    if (steps_ % 8 == 0) {
      const auto freshness = steps_ % 16 == 0 ? Freshness::kLatest : Freshness::kSnapshot;
      return recorder
          .read(node, freshness,
                [&](Transaction& t, Notes& notes) {
                  // A cluster that has lost all of it begins anew: an update makes it again.
                  const auto table = t.find<Table>("append");
                  if (!table) return;
                  note_list(table, notes, read);
                  note_list(table, notes, (read + 1) % kLists);
                })
          .status;
    }
    const std::size_t appends = 1 + prng.below(2);
    const std::uint64_t lists[2] = {prng.below(kLists), prng.below(kLists)};
    const std::int64_t numbers[2] = {numbers_.next(node.id(), recorder.incarnation()),
                                     numbers_.next(node.id(), recorder.incarnation())};
    const auto outcome = recorder.update(node, [&](Transaction& t, Notes& notes) {
      const auto table = t.root<Table>("append");
      for (std::size_t i = 0; i < appends; ++i) append(table, notes, lists[i], numbers[i]);
      note_list(table, notes, read);
    });
    if (outcome.committed()) recorder.add_effects(appends);
    return outcome.status;
  }

  template <class Node>
  Verification verify(Node& node) {
    const auto outcome = node.read_only(Freshness::kLatest, [](Transaction& t) {
      const auto table = t.find<Table>("append");
      if (!table) return std::uint64_t{0};
      std::uint64_t entries = 0;
      for (std::uint64_t i = 0; i < kLists; ++i) {
        const auto list = list_at(table, i);
        entries += list->generation * kCapacity + list->size;
      }
      return entries;
    });
    if (!outcome.committed()) return unread(kName, outcome.reason);
    return {.ok = true,
            .words = std::to_string(*outcome.value) + " entries were appended to " +
                     std::to_string(kLists) + " lists",
            .numbers = {{"entries", static_cast<std::int64_t>(*outcome.value)}},
            .counts_effects = true,
            .effects = *outcome.value};
  }

 private:
  struct List {
    std::uint64_t generation = 0;
    std::uint64_t size = 0;
    std::int64_t entries[kCapacity] = {};
  };
  static_assert(sizeof(List) == 1024);
  struct Page {
    List lists[4];
  };
  struct Table {
    Page pages[kShared / 4 + kAlone];
  };

  static Ref<List> list_at(const Ref<Table>& table, std::uint64_t list) {
    const auto page = list < kShared ? list / 4 : kShared / 4 + (list - kShared);
    return table.element(&Table::pages, page).element(&Page::lists, list < kShared ? list % 4 : 0);
  }

  static void append(const Ref<Table>& table, Notes& notes, std::uint64_t which,
                     std::int64_t number) {
    const auto list = list_at(table, which);
    auto* entry = list.mut();
    if (entry->size == kCapacity) {
      ++entry->generation;
      entry->size = 0;
    }
    entry->entries[entry->size++] = number;
    notes.append(entry->generation * kLists + which, number);
  }

  static void note_list(const Ref<Table>& table, Notes& notes, std::uint64_t which) {
    const auto list = list_at(table, which);
    notes.read_list(list->generation * kLists + which, {list->entries, list->size});
  }

  UniqueNumbers numbers_;
  std::uint64_t steps_ = 0;
};

}  // namespace plurix::workloads

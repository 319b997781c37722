// The compactor: sparse pages are emptied, pages of nodes that are gone are inherited, and a heap
// that is in order is left alone.
#include <gtest/gtest.h>
#include <plurix/gc/compactor.h>
#include <plurix/heap/compaction.h>
#include <plurix/sim/cluster.h>

#include <numeric>
#include <vector>

#include "support/lone_node.h"
#include "unit/heap_types.h"

namespace plurix::testing {
namespace {

using gc::Compactor;

template <class Node>
void compact(Node& node, Compactor& compactor) {
  for (int steps = 0; compactor.step(node); ++steps) ASSERT_LT(steps, 10'000) << "no end";
}

/// A node that takes one of three members for gone.
template <class Node>
struct WithoutMember {
  struct Core {
    bool is_member[kMaxNodes];
    CoreConfig config;
  };
  struct Protocol {
    Core core_;
    const Core& core() const { return core_; }
  };

  Node& node;
  NodeId missed;

  Protocol protocol() const {
    Protocol protocol{};
    for (NodeId member = 0; member < 3; ++member) {
      protocol.core_.is_member[member] = member != missed;
    }
    return protocol;
  }
  template <class Body>
  auto try_run(Body body) {
    return node.try_run(body);
  }
  void forget_pages(PageIndex, std::uint32_t, CommitTime) {}
};

std::vector<int> values_of(Transaction& t) {
  std::vector<int> values;
  for (Ref<Item> item = t.root<List>("list")->head; item; item = item->next) {
    values.push_back(item->value);
  }
  return values;
}

/// Keeps every n-th item of the list.
void thin_out(Transaction& t, int n) {
  const auto list = t.root<List>("list");
  Ref<Item> last = list->head;
  int count = 0;
  for (Ref<Item> item = last->next; item;) {
    const Ref<Item> next = item->next;
    if (++count % n == 0) {
      last = item;
    } else {
      last.mut()->next = next;
      t.free(item);
    }
    item = next;
  }
}

TEST(Compactor, EmptiesSparsePagesAndGivesThemBack) {
  LoneNode node(512);
  node->run([](Transaction& t) {
    const auto list = t.root<List>("list");
    for (int i = 0; i < 4'000; ++i) push(t, list, i);
  });
  node->run([](Transaction& t) { thin_out(t, 16); });
  const auto values = node->run(values_of);
  const auto before = node.verify();
  Compactor compactor;
  compact(node.node(), compactor);
  const auto after = node.verify();
  EXPECT_EQ(to_words(after), "");
  EXPECT_EQ(node->run(values_of), values);
  EXPECT_EQ(after.objects, before.objects);
  EXPECT_GT(compactor.counters().emptied, 20u);
  EXPECT_LT(after.pages_taken, before.pages_taken / 2);
}

TEST(Compactor, LeavesAHeapInOrderAlone) {
  LoneNode node(512);
  node->run([](Transaction& t) {
    const auto list = t.root<List>("list");
    for (int i = 0; i < 4'000; ++i) push(t, list, i);
  });
  Compactor compactor;
  compact(node.node(), compactor);
  const auto time = node->commit_time();
  for (int i = 0; i < 100; ++i) compactor.step(node.node());
  EXPECT_EQ(node->commit_time(), time) << "it has committed something";
  EXPECT_EQ(compactor.counters().moved, 0u);
}

struct Shelf {
  Link<Array<Link<Item>>> books[24];
};

/// Large objects of 3 to 6 pages, each of which links to items, and an item of each to the next
/// one's place; every second one is dropped then.
void fill_shelf(Transaction& t) {
  const auto shelf = t.root<Shelf>("shelf");
  for (std::size_t i = 0; i < std::size(shelf->books); ++i) {
    const auto book = t.make_array<Link<Item>>(500 + 200 * (i % 3));
    for (std::size_t k = 0; k < book.size(); k += 50) {
      const auto item = t.make<Item>();
      item.mut()->value = static_cast<int>(1'000 * i + k);
      *book[k].mut() = item;
      *book[k + 1].mut() = item;
    }
    shelf.mut()->books[i] = book;
  }
}

void drop_every_second(Transaction& t) {
  const auto shelf = t.root<Shelf>("shelf");
  for (std::size_t i = 0; i < std::size(shelf->books); i += 2) {
    const Ref<Array<Link<Item>>> book = shelf->books[i];
    shelf.mut()->books[i] = nullptr;
    t.free(book);
  }
}

/// Whether what is left of the shelf is as it was made.
bool shelf_is_whole(Transaction& t) {
  const auto shelf = t.root<Shelf>("shelf");
  for (std::size_t i = 1; i < std::size(shelf->books); i += 2) {
    const Ref<Array<Link<Item>>> book = shelf->books[i];
    if (book.size() != 500 + 200 * (i % 3)) return false;
    for (std::size_t k = 0; k < book.size(); k += 50) {
      if (book[k]->target() != book[k + 1]->target() || book[k + 2]->target() != 0) return false;
      if ((*book[k])->value != static_cast<int>(1'000 * i + k)) return false;
    }
  }
  return true;
}

PageIndex highest_large_page(Transaction& t) {
  auto page = heap::regions(t.pages()).end - 1;
  while (heap::page_entry(t, page).use != heap::PageUse::kLargeRest) --page;
  return page;
}

TEST(Compactor, MovesLargeObjectsToTheFront) {
  LoneNode node(512);
  node->run(fill_shelf);
  node->run(drop_every_second);
  const auto before = node.verify();
  const auto highest = node->run(highest_large_page);
  Compactor compactor;
  compact(node.node(), compactor);
  const auto after = node.verify();
  EXPECT_EQ(to_words(after), "");
  EXPECT_TRUE(node->run(shelf_is_whole));
  EXPECT_EQ(after.objects, before.objects);
  EXPECT_GT(compactor.counters().large, 8u);
  EXPECT_LE(compactor.counters().large, 24u) << "objects are moved to and fro";
  EXPECT_LT(node->run(highest_large_page) + 40, highest);
  const auto time = node->commit_time();
  compact(node.node(), compactor);
  EXPECT_EQ(node->commit_time(), time) << "it has moved something again";
}

TEST(RelocationToTheFront, FindsRoomAgainWhenTheNewHeaderHasTakenSome) {
  LoneNode node(64);
  const auto make_large = [&node](const char* name, std::uint32_t pages) {
    return node
        ->try_run(
            [&](Transaction& t) { t.replace(name, t.make_array<char>(pages * kPageSize - 16)); })
        .committed();
  };
  ASSERT_TRUE(make_large("first", 5) && make_large("second", 4));
  for (int i = 0; make_large(("fill/" + std::to_string(i)).c_str(), 1); ++i) {
    ASSERT_LT(i, 64);
  }
  int small = 0;
  while (node->try_run([](Transaction& t) { (void)t.make<Bytes64>(); }).committed()) ++small;
  ASSERT_LT(small, 1'000);
  node->run([](Transaction& t) {
    const auto first = t.find<Array<char>>("first");
    (void)t.remove_name("first");
    t.free(first);
  });
  const auto moved = node->run([](Transaction& t) {
    const auto before = t.find<Array<char>>("second").offset();
    return heap::relocate_to_front(t, before, 4);
  });
  EXPECT_NE(moved, 0u);
  EXPECT_EQ(node->run([](Transaction& t) { return t.find<Array<char>>("second").offset(); }),
            moved);
  EXPECT_EQ(to_words(node.verify()), "");
}

/// An array of numbers in so many pages.
Ref<Array<int>> make_numbers(Transaction& t, std::uint32_t pages) {
  const auto numbers = t.make_array<int>(pages * kPageSize / sizeof(int) - 4);
  for (std::size_t i = 0; i < numbers.size(); i += 1'000) *numbers[i].mut() = static_cast<int>(i);
  return numbers;
}

bool numbers_are_whole(Transaction& t) {
  const auto numbers = t.find<Array<int>>("numbers");
  for (std::size_t i = 0; i < numbers.size(); i += 1'000) {
    if (*numbers[i] != static_cast<int>(i)) return false;
  }
  return true;
}

void free_gap(Transaction& t) {
  const auto gap = t.find<Array<int>>("gap");
  (void)t.remove_name("gap");
  t.free(gap);
}

TEST(Compactor, MovesWhateverFitsAWriteSet) {
  LoneNode node(2'048, 700);
  node->run([](Transaction& t) { t.replace("gap", make_numbers(t, 650)); });
  node->run([](Transaction& t) { t.replace("numbers", make_numbers(t, 640)); });
  node->run(free_gap);
  Compactor compactor;
  compact(node.node(), compactor);
  EXPECT_EQ(to_words(node.verify()), "");
  EXPECT_TRUE(node->run(numbers_are_whole));
  EXPECT_EQ(compactor.counters().large, 1u);
  EXPECT_EQ(compactor.counters().too_large, 0u);
}

struct Wide {
  long words[380];  // one on a page
};

TEST(Compactor, LeavesALargeObjectThatAWriteSetHasNoRoomForAndMovesTheNext) {
  constexpr std::size_t kLinks = 200;
  LoneNode node(1'024, 120);
  node->run([](Transaction& t) {
    t.replace("gap", make_numbers(t, 20));
    t.replace("links", t.make_array<Link<Wide>>(kLinks));
  });
  for (std::size_t i = 0; i < kLinks; ++i) {
    node->run(
        [i](Transaction& t) { *t.find<Array<Link<Wide>>>("links")[i].mut() = t.make<Wide>(); });
  }
  node->run([](Transaction& t) { t.replace("numbers", make_numbers(t, 8)); });
  const auto before = node->run([](Transaction& t) {
    return std::pair{t.find<Array<Link<Wide>>>("links").offset(),
                     t.find<Array<int>>("numbers").offset()};
  });
  node->run(free_gap);
  Compactor compactor;
  compact(node.node(), compactor);
  EXPECT_EQ(to_words(node.verify()), "");
  EXPECT_TRUE(node->run(numbers_are_whole));
  EXPECT_GE(compactor.counters().too_large, 1u);
  EXPECT_EQ(compactor.counters().large, 1u);
  node->run([&](Transaction& t) {
    EXPECT_EQ(t.find<Array<Link<Wide>>>("links").offset(), before.first);
    EXPECT_LT(t.find<Array<int>>("numbers").offset(), before.second);
  });
}

TEST(Relocation, OfWhatAWriteSetHasNoRoomForIsAnOutcomeAndChangesNothing) {
  LoneNode node(1'024, 120);
  node->run([](Transaction& t) { t.replace("numbers", make_numbers(t, 100)); });
  for (int i = 0; i < 30; ++i) {
    node->run([i](Transaction& t) { t.replace("written/" + std::to_string(i), t.make<Wide>()); });
  }
  const auto before =
      node->run([](Transaction& t) { return t.find<Array<int>>("numbers").offset(); });
  const auto outcome = node->try_run([&](Transaction& t) {
    for (int i = 0; i < 30; ++i) t.find<Wide>("written/" + std::to_string(i)).mut()->words[0] = 1;
    return heap::relocate(t, before);
  });
  EXPECT_EQ(outcome.status, Status::kOutOfMemory);
  EXPECT_EQ(node->run([](Transaction& t) { return t.find<Array<int>>("numbers").offset(); }),
            before);
  EXPECT_TRUE(node->run(numbers_are_whole));
  EXPECT_EQ(to_words(node.verify()), "");
}

TEST(Evacuation, MovesEachObjectOnceAndOffThePage) {
  LoneNode node(64);
  node->run([](Transaction& t) {
    const auto list = t.root<List>("list");
    for (int i = 0; i < 400; ++i) push(t, list, i);
  });
  node->run([](Transaction& t) { thin_out(t, 3); });
  const auto pages = heap::regions(64).end;
  for (auto page = heap::regions(64).first; page < pages; ++page) {
    node->run([&](Transaction& t) {
      const auto* header = t.reading<heap::PageHeader>(heap::offset_of(page));
      if (heap::page_entry(t, page).use != heap::PageUse::kSmall ||
          header->placement != Placement::kReadWrite) {
        return;
      }
      const auto objects = header->objects;
      EXPECT_EQ(heap::evacuate(t, page), objects);
      EXPECT_EQ(header->objects, 0u);
    });
    EXPECT_EQ(to_words(node.verify()), "") << "page " << page;
  }
}

TEST(Compactor, InheritsThePagesOfNodesThatAreGone) {
  sim::ClusterOptions options;
  options.nodes = 3;
  options.seed = 5;
  options.heap_pages = 256;
  sim::Cluster<Fair> cluster(options);
  std::vector<std::size_t> gone;
  HeapReport report;
  long sum = 0;
  std::uint64_t inherited = 0;
  bool ready = false;
  bool left = false;
  NodeId missed = kNoNode;
  cluster.run([&](auto& node, std::size_t index) {
    if (index == 2) {
      node.run([](Transaction& t) {
        const auto list = t.root<List>("list");
        for (int i = 0; i < 500; ++i) push(t, list, i);
        t.replace("numbers", t.make_array<int>(3'000));
      });
      missed = node.id();
      ready = true;
      while (!left) node.serve(node.now() + milliseconds(1));
      return;
    }
    while (!ready) node.serve(node.now() + milliseconds(1));
    if (index == 1) {
      while (!left) node.serve(node.now() + milliseconds(1));
      return;
    }
    // As far as the compactor knows, that node is gone.
    Compactor compactor;
    WithoutMember<std::remove_reference_t<decltype(node)>> absent{node, missed};
    compact(absent, compactor);
    inherited = compactor.counters().inherited;
    node.run([&](Transaction& t) {
      report = verify_heap(t);
      const auto values = values_of(t);
      sum = std::accumulate(values.begin(), values.end(), 0l);
      for (auto page = heap::regions(256).first; page < 256; ++page) {
        const auto entry = heap::page_entry(t, page);
        const bool system = entry.placement == Placement::kSystemReadWrite;
        if (entry.use != heap::PageUse::kFree && !system && entry.node == missed)
          gone.push_back(page);
      }
    });
    left = true;
  });
  EXPECT_EQ(to_words(report), "");
  EXPECT_EQ(sum, 500 * 499 / 2);
  EXPECT_GT(inherited, 5u);
  EXPECT_TRUE(gone.empty()) << gone.size() << " pages of the node are left";
}

}  // namespace
}  // namespace plurix::testing

// Allocation in two stages (DESIGN H4): where objects go, and how room is found again.
#include <gtest/gtest.h>
#include <plurix/heap/candidates.h>

#include "support/lone_node.h"
#include "unit/heap_types.h"

#include <set>
#include <vector>

namespace plurix::testing {
namespace {

class Allocation : public ::testing::Test {
 protected:
  void TearDown() override {
    const auto report = node.verify();
    EXPECT_TRUE(report.ok()) << to_words(report);
  }

  std::uint32_t taken() {
    return node->run([](Transaction& t) { return heap::taken_pages(t); });
  }

  LoneNode node{256};
};

TEST_F(Allocation, ValueInitialisesAlsoWhereSomethingStoodBefore) {
  node->run([](Transaction& t) {
    for (int round = 0; round < 300; ++round) {
      const auto object = t.make<Bytes64>();
      for (const char byte : object->bytes) ASSERT_EQ(byte, 0);
      for (char& byte : object.mut()->bytes) byte = 'x';
      t.free(object);
    }
  });
}

TEST_F(Allocation, KeepsAlignmentAndPages) {
  struct alignas(64) Line {
    char bytes[64];
  };
  struct alignas(2048) Half {
    char bytes[2048];
  };
  node->run([](Transaction& t) {
    for (int i = 0; i < 40; ++i) {
      (void)t.make<Bytes64>();
      EXPECT_EQ(t.make<Line>().offset() % 64, 0u);
      EXPECT_EQ(t.make<Half>().offset() % 2048, 0u);
      const auto small = t.make<Bytes64>();
      EXPECT_EQ(pages_spanned(small.offset() - 24, 24 + sizeof(Bytes64)), 1u);
    }
  });
}

TEST_F(Allocation, GivesLargeObjectsPagesOfTheirOwn) {
  struct Large {
    char bytes[3 * kPageSize - 100];
  };
  node->run([](Transaction& t) {
    const auto first = t.make<Large>();
    const auto second = t.make<Large>();
    EXPECT_EQ(first.offset() % kPageSize, 0u);
    EXPECT_EQ(second.offset() % kPageSize, 0u);
    EXPECT_GE(second.offset(), first.offset() + 3 * kPageSize);
    t.root<Graph>("graph");
    t.free(first);
    t.free(second);
  });
}

TEST_F(Allocation, PutsALargeObjectWhereItMustStandOrNowhere) {
  constexpr PageIndex kWanted = 100;
  const auto place = [](Transaction& t) {
    return heap::try_allocate(t, {.bytes = 3 * kPageSize,
                                  .type = t.type<Bytes64>(),
                                  .flags = heap::Tag::kArray,
                                  .at = kWanted});
  };
  node->run([&](Transaction& t) {
    const auto body = place(t);
    EXPECT_EQ(body, kWanted * kPageSize);
    t.store(body, 3 * kPageSize / sizeof(Bytes64) - 1);
    const auto before = heap::taken_pages(t);
    EXPECT_EQ(place(t), 0u) << "twice at one place";
    EXPECT_EQ(heap::taken_pages(t), before);
    EXPECT_FALSE(heap::take_these_pages(t, {255, 2}, {.use = heap::PageUse::kLarge}));
    EXPECT_FALSE(heap::take_these_pages(t, {0, 1}, {.use = heap::PageUse::kLarge}));
    heap::free_object(t, body);
    EXPECT_EQ(place(t), body);
    heap::free_object(t, body);
  });
}

TEST_F(Allocation, KeepsPlacementsApart) {
  node->run([](Transaction& t) {
    std::set<PageIndex> pages[kPlacements];
    for (int i = 0; i < 200; ++i) {
      const auto placement = static_cast<Placement>(i % 4);
      pages[i % 4].insert(page_of(t.make_in<Bytes64>(placement).offset()));
    }
    for (std::size_t a = 0; a < kPlacements; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        for (const auto page : pages[a]) EXPECT_EQ(pages[b].count(page), 0u);
      }
    }
  });
}

TEST_F(Allocation, FindsFreedRoomAgain) {
  std::vector<std::uint64_t> objects;
  const auto fill = [&] {
    node->run([&](Transaction& t) {
      objects.clear();
      for (int i = 0; i < 3000; ++i) objects.push_back(t.make<Bytes64>().offset());
    });
  };
  fill();
  const auto after_first = taken();
  for (int round = 0; round < 8; ++round) {
    node->run([&](Transaction& t) {
      for (const auto offset : objects) t.free(t.at<Bytes64>(offset));
    });
    fill();
  }
  EXPECT_LE(taken(), after_first + 16);
}

TEST_F(Allocation, GivesEmptyPagesBack) {
  std::vector<std::uint64_t> objects;
  const auto before = taken();
  node->run([&](Transaction& t) {
    for (int i = 0; i < 3000; ++i) objects.push_back(t.make<Bytes64>().offset());
  });
  EXPECT_GT(taken(), before + 60);
  node->run([&](Transaction& t) {
    for (const auto offset : objects) t.free(t.at<Bytes64>(offset));
    PageIndex hand = 0;
    heap::tidy(t, hand, 1000);
  });
  EXPECT_LE(taken(), before + 8);  // those being filled, and the rest of a run
}

TEST_F(Allocation, OfSmallAndLargeObjectsTakesEachOthersRoom) {
  std::vector<std::uint64_t> objects;
  node->run([&](Transaction& t) {
    for (int i = 0; i < 8000; ++i) objects.push_back(t.make<Bytes64>().offset());
  });
  node->run([&](Transaction& t) {
    for (const auto offset : objects) t.free(t.at<Bytes64>(offset));
  });
  node->run([](Transaction& t) { t.free(t.make_array<char>(100 * kPageSize)); });
}

// A heap that is full loses nothing, can still be read and freed, and is usable again then.
TEST_F(Allocation, SaysThatTheHeapIsFullAndGoesOn) {
  const auto fill = [&] {
    return node->try_run([](Transaction& t) {
      const auto list = t.root<List>("list");
      for (int i = 0; i < 100; ++i) push(t, list, i);
    });
  };
  long committed = 0;
  while (fill().committed()) ++committed;
  EXPECT_TRUE(fill().out_of_memory());
  EXPECT_STREQ(fill().reason, "the heap is full");
  EXPECT_GT(committed, 100);
  const auto size = node->run([](Transaction& t) { return t.root<List>("list")->size; });
  EXPECT_EQ(size, committed * 100);
  node->run([](Transaction& t) {
    const auto list = t.root<List>("list");
    while (const Ref<Item> item = list->head) {
      list.mut()->head = item->next;
      list.mut()->size--;
      t.free(item);
    }
  });
  EXPECT_TRUE(fill().committed());
}

TEST_F(Allocation, OfTooLargeAnObjectIsRefused) {
  const auto outcome = node->try_run([](Transaction& t) { (void)t.make_array<long>(1u << 20); });
  EXPECT_TRUE(outcome.out_of_memory());
  const auto wraps = node->try_run([](Transaction& t) { (void)t.make_array<long>(~0ull / 8); });
  EXPECT_TRUE(wraps.out_of_memory());
}

TEST_F(Allocation, KeepsArraysAndTexts) {
  node->run([](Transaction& t) {
    auto numbers = t.make_array<int>(5000);
    for (std::size_t i = 0; i < numbers.size(); ++i) *numbers[i].mut() = static_cast<int>(i);
    EXPECT_TRUE(t.publish("numbers", numbers));
    EXPECT_TRUE(t.publish("text", t.make_string("a text of some length")));
    EXPECT_TRUE(t.publish("nothing", t.make_string("")));
  });
  node->run([](Transaction& t) {
    const auto numbers = t.find<Array<int>>("numbers");
    ASSERT_EQ(numbers.size(), 5000u);
    EXPECT_EQ(*numbers[4321], 4321);
    EXPECT_EQ(numbers.elements()[17], 17);
    EXPECT_EQ(t.find<String>("text").text(), "a text of some length");
    EXPECT_EQ(t.find<String>("nothing").text(), "");
    EXPECT_FALSE(t.find<Array<long>>("numbers"));
  });
}

TEST_F(Allocation, TellsWhichPagesWereFilled) {
  node->run([](Transaction& t) {
    for (int i = 0; i < 500; ++i) (void)t.make<Bytes64>();
    std::set<PageIndex> pages;
    for (auto page = heap::take_filled_page(t); page != kNoPage; page = heap::take_filled_page(t)) {
      EXPECT_TRUE(pages.insert(page).second);
    }
    EXPECT_GE(pages.size(), 10u);
    EXPECT_EQ(heap::take_filled_lost(t), 0u);
  });
}

TEST_F(Allocation, HandsEachCandidateOutOnce) {
  node->run([](Transaction& t) {
    const auto graph = t.root<Graph>("graph");
    std::set<std::uint64_t> dropped;
    for (int i = 0; i < 100; ++i) {
      const auto vertex = t.make<Vertex>(i);
      dropped.insert(vertex.offset());
      for (auto& link : graph.mut()->vertices) link = vertex;
    }
    for (auto& link : graph.mut()->vertices) link = nullptr;
    while (const auto body = heap::take_candidate(t).body) EXPECT_EQ(dropped.erase(body), 1u);
    EXPECT_TRUE(dropped.empty());
    EXPECT_EQ(heap::take_lost_candidates(t), 0u);
  });
}

TEST_F(Allocation, KeepsNoRoomForCandidatesThatWereFreed) {
  const auto round = [&] {
    node->run([](Transaction& t) {
      const auto graph = t.root<Graph>("graph");
      for (int i = 0; i < 300; ++i) {
        const auto vertex = t.make<Vertex>(i);
        graph.mut()->vertices[0] = vertex;
        graph.mut()->vertices[0].clear();
        if (i % 100 != 0) t.free(vertex);
      }
      while (const auto body = heap::take_candidate(t).body) heap::free_object(t, body);
    });
  };
  round();
  const auto after_first = node.verify().system_objects;
  for (int i = 0; i < 5; ++i) round();
  EXPECT_EQ(node.verify().system_objects, after_first);
}

}  // namespace
}  // namespace plurix::testing

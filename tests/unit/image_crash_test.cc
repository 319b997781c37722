// DESIGN C2, exhaustively: every write of an image is cut at every sector, with what was not
// flushed kept, lost or torn. What is found afterwards is the image before or the new one, whole;
// the new one once its last flush has finished.
#include <gtest/gtest.h>
#include <plurix/checkpoint/image_store.h>
#include <plurix/sim/memory_block_store.h>

#include <functional>

#include "support/heap_images.h"

namespace plurix::checkpoint {
namespace {

using sim::MemoryBlockStore;
using sim::Unflushed;
using testing::HeapImage;
using testing::kTestIdentity;
using testing::read_back;
using testing::take;
using Store = ImageStore<MemoryBlockStore>;

struct Recorded {
  sim::DiskImage before;
  sim::DiskJournal journal;
  HeapImage old_heap{0};
  HeapImage new_heap{0};
};

/// Image 2 changes `changed` of 100 pages of image 1; its writes are the journal.
Recorded record(std::uint64_t changed, std::uint32_t segment_blocks, std::uint64_t seed,
                int level = 0) {
  Recorded recorded;
  MemoryBlockStore disk(seed);
  Store store(disk, {.segment_blocks = segment_blocks,
                     .keep_images = 1,
                     .max_bytes = ~std::uint64_t{0},
                     .compression = zstd(level)});
  EXPECT_EQ(store.open(&kTestIdentity), "");
  HeapImage heap(100);
  heap.change_some(100, seed);
  EXPECT_EQ(take(store, heap, 1), "");
  heap.change_some(changed, seed + 1);
  EXPECT_EQ(take(store, heap, 2), "");  // so that the next one recycles segments
  recorded.old_heap = heap;
  recorded.before = disk.contents();
  heap.change_some(changed, seed + 2);
  recorded.new_heap = heap;
  disk.start_journal();
  EXPECT_EQ(take(store, heap, 3), "");
  recorded.journal = disk.journal();
  return recorded;
}

std::string why_wrong(const Recorded& recorded, sim::DiskImage contents, bool must_be_new) {
  MemoryBlockStore disk(0, std::move(contents));
  Store store(disk);
  if (const auto words = store.open(); !words.empty()) return words;
  if (store.newest() == nullptr) return "there is no image";
  const auto time = store.newest()->time;
  if (must_be_new && time != 3) return "the durable image is gone";
  const auto& expected = time == 3 ? recorded.new_heap : recorded.old_heap;
  if (read_back(store, time) != expected) return "image " + std::to_string(time) + " is not whole";
  return {};
}

std::size_t check_every_cut(const Recorded& recorded) {
  Prng prng(5);
  std::size_t cuts = 0;
  for (std::size_t event = 0; event <= recorded.journal.size(); ++event) {
    const auto sectors = event == recorded.journal.size() ? 0 : recorded.journal[event].sectors();
    for (std::size_t sector = 0; sector <= sectors; ++sector) {
      for (const auto unflushed : {Unflushed::kKept, Unflushed::kLost, Unflushed::kTorn}) {
        ++cuts;
        const auto words = why_wrong(recorded,
                                     sim::disk_after_crash(recorded.before, recorded.journal, event,
                                                           sector, unflushed, prng),
                                     event == recorded.journal.size());
        if (words.empty()) continue;
        ADD_FAILURE() << "cut at event " << event << ", sector " << sector << ", unflushed "
                      << static_cast<int>(unflushed) << ": " << words;
        return cuts;
      }
    }
  }
  return cuts;
}

TEST(ImageCrash, AtAnySectorOfAFullImageFindsAWholeOne) {
  EXPECT_GT(check_every_cut(record(100, kDefaultSegmentBlocks, 3)), 2'000U);
}

TEST(ImageCrash, AtAnySectorOfAnIncrementalImageFindsAWholeOne) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_GT(check_every_cut(record(20, 8, seed)), 500U);
  }
}

TEST(ImageCrash, AtAnySectorOfACompressedImageFindsAWholeOne) {
  EXPECT_GT(check_every_cut(record(20, 8, 1, 1)), 400U);
}

TEST(ImageCrash, OneAfterTheOtherNeverLosesADurableImage) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    MemoryBlockStore disk(seed);
    Prng prng(seed);
    const auto options =
        seed % 2 == 0 ? testing::small_segments(2) : testing::small_packed_segments(2);
    std::map<std::uint64_t, HeapImage> states;
    HeapImage heap(40);
    {
      Store store(disk, options);
      ASSERT_EQ(store.open(&kTestIdentity), "");
    }
    std::uint64_t durable = 0;
    for (std::uint64_t time = 1; time <= 25; ++time) {
      Store store(disk, options);
      ASSERT_EQ(store.open(), "");
      if (store.newest() != nullptr) {
        ASSERT_GE(store.newest()->time, durable);
        heap = read_back(store, store.newest()->time);
        ASSERT_EQ(heap, states.at(store.newest()->time)) << "image " << store.newest()->time;
      } else {
        ASSERT_EQ(durable, 0U);
        heap = HeapImage(40);
      }
      heap.changed.clear();
      heap.change_some(prng.below(30), prng.next());
      states.insert_or_assign(time, heap);
      if (prng.chance(300'000)) {  // the power goes in the middle
        alignas(8) std::byte bytes[kBlockSize];
        store.begin({time}, 1, 40);
        for (const auto page : heap.changed) {
          testing::fill_page(heap.pages[page], Block{bytes});
          store.put(page, Block{bytes});
        }
        if (prng.chance(500'000)) store.finish();
        for (auto steps = prng.below(12); steps > 0; --steps) disk.poll();
      } else {
        ASSERT_EQ(take(store, heap, time), "");
        durable = time;
      }
      disk.crash();
    }
  }
}

}  // namespace
}  // namespace plurix::checkpoint

// The store of images on a disk in memory: what it keeps, what it refuses, and what it says.
#include <gtest/gtest.h>
#include <plurix/checkpoint/image_store.h>
#include <plurix/sim/memory_block_store.h>

#include "support/heap_images.h"

namespace plurix::checkpoint {
namespace {

using sim::MemoryBlockStore;
using testing::HeapImage;
using testing::kTestIdentity;
using testing::read_back;
using testing::small_segments;
using testing::take;
using Store = ImageStore<MemoryBlockStore>;

TEST(ImageStore, GivesBackTheImageItTook) {
  MemoryBlockStore disk(7);
  HeapImage heap(100);
  heap.change_some(60, 1);
  Store store(disk);
  ASSERT_EQ(store.open(&kTestIdentity), "");
  EXPECT_EQ(take(store, heap, 17), "");
  EXPECT_EQ(read_back(store, 17), heap);
  Store again(disk);
  ASSERT_EQ(again.open(), "");
  EXPECT_EQ(again.identity(), kTestIdentity);
  EXPECT_EQ(read_back(again, 17), heap);
}

TEST(ImageStore, KeepsTheImagesBefore) {
  MemoryBlockStore disk(8);
  HeapImage heap(64);
  Store store(disk, small_segments(4));
  ASSERT_EQ(store.open(&kTestIdentity), "");
  std::vector<HeapImage> states;
  for (std::uint64_t time = 1; time <= 12; ++time) {
    heap.change_some(1 + time % 9, time);
    ASSERT_EQ(take(store, heap, time), "");
    states.push_back(heap);
    states.back().changed.clear();
    ASSERT_EQ(store.images().size(), std::min<std::size_t>(time, 4));
    for (const auto& image : store.images()) {
      ASSERT_EQ(read_back(store, image.time), states[image.time - 1]) << "image " << image.time;
      ASSERT_EQ(store.verify(image), "");
    }
  }
}

TEST(ImageStore, WritesOnlyWhatChanged) {
  MemoryBlockStore disk(9);
  HeapImage heap(2000);
  heap.change_some(2000, 1);
  Store store(disk);
  ASSERT_EQ(store.open(&kTestIdentity), "");
  ASSERT_EQ(take(store, heap, 1), "");
  const auto first = store.newest()->pages_written;
  heap.change_some(3, 2);
  ASSERT_EQ(take(store, heap, 2), "");
  EXPECT_GT(first, 1000U);
  EXPECT_LE(store.newest()->pages_written, 3U);
  EXPECT_EQ(store.newest()->previous, 1U);
}

TEST(ImageStore, BoundsTheDiskItUses) {
  MemoryBlockStore disk(10);
  constexpr std::uint32_t kPages = 120;
  HeapImage heap(kPages);
  Store store(disk, small_segments(3));  // seven pages a segment
  ASSERT_EQ(store.open(&kTestIdentity), "");
  for (std::uint64_t time = 1; time <= 400; ++time) {
    heap.change_some(1 + time % 23, time);
    ASSERT_EQ(take(store, heap, time), "");
  }
  EXPECT_EQ(read_back(store, 400), heap);
  // Half full segments hold twice the heap; three kept images, and those of the superblock before,
  // add what changed meanwhile and a few segments each.
  const auto bound =
      kFirstSegmentOffset + 2 * kPages * kBlockSize + 4 * (2 * 23 + 6 * 8) * kBlockSize;
  EXPECT_LE(disk.bytes(), bound) << store.segments_in_use() << " segments in use";
}

TEST(ImageStore, GoesOnFromAnImageThatWasPromoted) {
  MemoryBlockStore disk(11);
  HeapImage heap(30);
  Store store(disk, small_segments(6));
  ASSERT_EQ(store.open(&kTestIdentity), "");
  heap.change_some(30, 1);
  ASSERT_EQ(take(store, heap, 1), "");
  const auto first = heap;
  heap.change_some(10, 2);
  ASSERT_EQ(take(store, heap, 2), "");
  ASSERT_EQ(store.promote(1), "");
  EXPECT_NE(store.promote(99), "");
  Store again(disk, small_segments(6));
  ASSERT_EQ(again.open(), "");
  ASSERT_EQ(again.newest()->time, 1U);
  auto branch = first;
  branch.change_some(2, 3);
  ASSERT_EQ(take(again, branch, 3), "");
  EXPECT_EQ(read_back(again, 3), branch);
  EXPECT_EQ(read_back(again, 2), heap);
}

TEST(ImageStore, ReadsLittleToOpen) {
  MemoryBlockStore disk(0);
  HeapImage heap(3000);
  Store store(disk);
  ASSERT_EQ(store.open(&kTestIdentity), "");
  for (std::uint64_t time = 1; time <= 8; ++time) {
    heap.change_some(3000, time);
    ASSERT_EQ(take(store, heap, time), "");
  }
  const auto before = disk.started();
  Store again(disk);
  ASSERT_EQ(again.open(), "");
  // Two superblocks; of each of eight images, and of the eight of the superblock before, a summary
  // and six blocks of map.
  EXPECT_LE(disk.started() - before, 2U + 16 * 7);
}

TEST(ImageStore, OfAFullDiskSaysSoAndKeepsWhatItHas) {
  MemoryBlockStore disk(12);
  HeapImage heap(100);
  Store store(disk, small_segments(4));
  ASSERT_EQ(store.open(&kTestIdentity), "");
  heap.change_some(100, 1);
  ASSERT_EQ(take(store, heap, 1), "");
  const auto first = heap;
  disk.set_capacity(disk.bytes());
  heap.change_some(90, 2);
  EXPECT_NE(take(store, heap, 2).find("disk is full"), std::string::npos);
  EXPECT_EQ(read_back(store, 1), first);
  disk.set_capacity(~std::uint64_t{0});
  EXPECT_EQ(take(store, heap, 3), "");
  EXPECT_EQ(read_back(store, 3), heap);
}

TEST(ImageStore, DoesNotGrowBeyondTheSizeItMayHave) {
  MemoryBlockStore disk(13);
  HeapImage heap(100);
  auto options = small_segments(4);
  options.max_bytes = kFirstSegmentOffset + 60 * kBlockSize;
  Store store(disk, options);
  ASSERT_EQ(store.open(&kTestIdentity), "");
  heap.change_some(100, 1);
  EXPECT_NE(take(store, heap, 1).find("size it may have"), std::string::npos);
  EXPECT_LE(disk.bytes(), options.max_bytes);
}

TEST(ImageStore, LosesNothingWhereverTheDiskFails) {
  for (const auto error : {BlockError::kFull, BlockError::kDevice, BlockError::kReadOnly}) {
    for (std::uint64_t operation = 0; operation < 24; ++operation) {
      SCOPED_TRACE("operation " + std::to_string(operation) + " of an image fails");
      MemoryBlockStore disk(20 + operation);
      HeapImage heap(40);
      Store store(disk, small_segments(4));
      ASSERT_EQ(store.open(&kTestIdentity), "");
      heap.change_some(40, 1);
      ASSERT_EQ(take(store, heap, 1), "");
      const auto first = heap;
      heap.change_some(40, 2);
      disk.fail_after(operation, error);
      const auto words = take(store, heap, 2);
      disk.fail_after(0, BlockError::kNone);
      EXPECT_TRUE(!words.empty() || store.newest()->time == 2);
      EXPECT_EQ(read_back(store, 1), first);
      ASSERT_EQ(take(store, heap, 3), "") << words;
      disk.crash();
      Store again(disk);
      ASSERT_EQ(again.open(), "");
      EXPECT_EQ(read_back(again, 3), heap);
    }
  }
}

TEST(ImageStore, DoesNotBringBackAnImageThatWasGivenUpUnderWay) {
  MemoryBlockStore disk(7);
  HeapImage heap(20);
  Store store(disk, small_segments(4));
  ASSERT_EQ(store.open(&kTestIdentity), "");
  heap.change_some(20, 1);
  ASSERT_EQ(take(store, heap, 1), "");
  alignas(8) std::byte bytes[kBlockSize] = {};
  store.begin({2}, 1, 20);
  store.put(3, Block{bytes});
  store.finish();
  while (store.phase() < Store::Phase::kSuperblockUnderWay) store.poll();
  store.abandon();
  ASSERT_EQ(store.settle(), "");
  Store again(disk);
  ASSERT_EQ(again.open(), "");
  EXPECT_EQ(again.newest()->time, 1U);
  EXPECT_EQ(read_back(again, 1), heap);
}

TEST(ImageStore, FindsEveryFlippedBitOfAnImage) {
  MemoryBlockStore disk(0);
  HeapImage heap(20);
  heap.change_some(20, 1);
  {
    Store store(disk, small_segments(4));
    ASSERT_EQ(store.open(&kTestIdentity), "");
    ASSERT_EQ(take(store, heap, 1), "");
  }
  Prng prng(1);
  for (int i = 0; i < 400; ++i) {
    const auto offset = kFirstSegmentOffset + prng.below(disk.bytes() - kFirstSegmentOffset);
    const auto& writes = disk.journal();
    const auto written = std::any_of(writes.begin(), writes.end(), [offset](const auto& write) {
      return offset >= write.offset && offset < write.offset + write.bytes.size();
    });
    if (!written) continue;  // the rest of a segment that was not filled
    const auto bit = static_cast<unsigned>(prng.below(8));
    disk.flip_bit(offset, bit);
    Store store(disk, small_segments(4));
    auto words = store.open();
    if (words.empty()) words = store.verify(*store.newest());
    EXPECT_NE(words, "") << "byte " << offset << ", bit " << bit;
    disk.flip_bit(offset, bit);
  }
}

TEST(ImageStore, SurvivesTheLossOfEitherSuperblock) {
  for (int place = 0; place < 2; ++place) {
    MemoryBlockStore disk(0);
    HeapImage heap(20);
    Store store(disk, small_segments(4));
    ASSERT_EQ(store.open(&kTestIdentity), "");
    for (std::uint64_t time = 1; time <= 5; ++time) {
      heap.change_some(12, time);
      ASSERT_EQ(take(store, heap, time), "");
    }
    disk.flip_bit(kSuperblockOffset[place] + 100, 3);
    Store again(disk);
    ASSERT_EQ(again.open(), "");
    EXPECT_GE(again.newest()->time, 4U);
    for (const auto& image : again.images()) EXPECT_EQ(again.verify(image), "");
  }
}

TEST(ImageStore, RefusesWhatIsNotItsOwnInWords) {
  const auto words_of = [](auto change) {
    MemoryBlockStore disk(0);
    Store store(disk);
    EXPECT_EQ(store.open(&kTestIdentity), "");
    auto contents = disk.contents();
    change(contents);
    MemoryBlockStore changed(0, contents);
    Store again(changed);
    return again.open(&kTestIdentity);
  };
  const auto both = [](auto change) {
    return [change](sim::DiskImage& disk) {
      for (const auto offset : kSuperblockOffset) change(disk.data() + offset);
    };
  };
  EXPECT_NE(words_of(both([](std::byte* block) {
              std::memset(block, 'x', kBlockSize);
            })).find("not a store of Plurix"),
            std::string::npos);
  EXPECT_NE(words_of(both([](std::byte* block) { block[2000] ^= std::byte{1}; })).find("damaged"),
            std::string::npos);
  const auto newer = both([](std::byte* block) {
    block[8] = std::byte{kPackedVersion + 1};
    const auto crc = crc32c({block + 4, kBlockSize - 4});
    std::memcpy(block, &crc, sizeof crc);
  });
  EXPECT_NE(words_of(newer).find("version 3, this program reads versions 1 to 2"),
            std::string::npos);
  MemoryBlockStore empty(0);
  Store store(empty);
  EXPECT_EQ(store.open(), "there is no store yet");
}

}  // namespace
}  // namespace plurix::checkpoint

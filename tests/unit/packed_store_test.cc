// Stores whose segments are compressed where that makes them smaller.
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
using testing::small_packed_segments;
using testing::small_segments;
using testing::take;
using Store = ImageStore<MemoryBlockStore>;

class PackedStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!zstd(1).packs()) GTEST_SKIP() << "built without zstd";
  }

  /// Bytes that the newest image needs.
  static std::uint64_t stored(Store& store) {
    std::uint64_t bytes = 0;
    EXPECT_EQ(store.measure(*store.newest(), bytes), "");
    return bytes;
  }

  /// A heap of pages that are alike, or of random ones.
  static HeapImage heap_of(std::uint32_t pages, bool alike) {
    HeapImage heap(pages);
    heap.change_some(pages, 1);
    for (auto& seed : heap.pages) seed = alike ? seed & ~std::uint64_t{2} : seed | 2;
    return heap;
  }

  /// A store with one image of `heap`.
  static sim::DiskImage disk_with(HeapImage heap, const StoreOptions& options) {
    MemoryBlockStore disk(0);
    Store store(disk, options);
    EXPECT_EQ(store.open(&kTestIdentity), "");
    EXPECT_EQ(take(store, heap, 1), "");
    return disk.contents();
  }
};

TEST_F(PackedStore, TakesLessAndGivesBackTheSame) {
  auto heap = heap_of(100, true);
  MemoryBlockStore disk(7);
  Store store(disk, small_packed_segments(4));
  ASSERT_EQ(store.open(&kTestIdentity), "");
  ASSERT_EQ(take(store, heap, 1), "");
  EXPECT_EQ(read_back(store, 1), heap);
  EXPECT_EQ(store.verify(*store.newest()), "");
  EXPECT_LT(stored(store), 100 * kBlockSize / 2);
  Store again(disk, small_segments(4));  // without compression it goes on all the same
  ASSERT_EQ(again.open(), "");
  EXPECT_EQ(read_back(again, 1), heap);
  heap.change_some(10, 2);
  ASSERT_EQ(take(again, heap, 2), "");
  EXPECT_EQ(read_back(again, 2), heap);
}

TEST_F(PackedStore, LeavesAloneWhatWouldNotBecomeSmaller) {
  const auto heap = heap_of(100, false);
  auto plain = disk_with(heap, small_segments(4));
  auto packed = disk_with(heap, small_packed_segments(4));
  std::memset(plain.data(), 0, kFirstSegmentOffset);
  std::memset(packed.data(), 0, kFirstSegmentOffset);
  EXPECT_TRUE(plain == packed);
}

TEST_F(PackedStore, KeepsTheImagesBeforeAndBoundsTheDisk) {
  MemoryBlockStore disk(8);
  HeapImage heap(64);
  std::vector<HeapImage> states;
  for (std::uint64_t time = 1; time <= 60; ++time) {
    // Another life each time, by turns with and without compression.
    Store store(disk, time % 3 == 0 ? small_segments(4) : small_packed_segments(4));
    ASSERT_EQ(store.open(&kTestIdentity), "");
    heap.change_some(1 + time % 9, time);
    ASSERT_EQ(take(store, heap, time), "");
    states.push_back(heap);
    for (const auto& image : store.images()) {
      ASSERT_EQ(read_back(store, image.time), states[image.time - 1]) << "image " << image.time;
      ASSERT_EQ(store.verify(image), "");
    }
  }
  EXPECT_LE(disk.bytes(), kFirstSegmentOffset + (2 * 64 + 5 * (2 * 9 + 6 * 8)) * kBlockSize);
}

TEST_F(PackedStore, HandsOutNothingDamaged) {
  const auto heap = heap_of(7, true);
  const auto good = disk_with(heap, small_packed_segments(1));
  SegmentHeader header;
  std::memcpy(&header, good.data() + kFirstSegmentOffset, sizeof header);
  ASSERT_GT(header.packed_bytes, 0U);
  std::size_t found = 0;
  for (std::uint32_t byte = 0; byte < header.packed_bytes; ++byte) {
    MemoryBlockStore disk(0, good);
    disk.flip_bit(kFirstSegmentOffset + kBlockSize + byte, byte % 8);
    Store store(disk);
    ASSERT_EQ(store.open(), "");
    const auto words = store.verify(*store.newest());
    if (words.empty()) {
      EXPECT_EQ(read_back(store, 1), heap) << "byte " << byte;
    } else {
      ++found;
    }
  }
  EXPECT_GT(found, header.packed_bytes / 2);
}

/// What a summary says is changed, with a right checksum.
template <class Change>
std::string words_after(sim::DiskImage disk, Change change) {
  const Block block{disk.data() + kFirstSegmentOffset, kBlockSize};
  SegmentHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  change(header);
  std::memcpy(block.data(), &header, sizeof header);
  const auto crc = crc32c(ConstBlock(block).subspan(sizeof header.crc32c));
  std::memcpy(block.data(), &crc, sizeof crc);
  MemoryBlockStore device(0, std::move(disk));
  Store store(device);
  if (const auto words = store.open(); !words.empty()) return words;
  return store.read_image(*store.newest(), [](PageIndex, ConstBlock) {});
}

TEST_F(PackedStore, BelievesNoSummaryThatCannotBe) {
  const auto good = disk_with(heap_of(7, true), small_packed_segments(1));
  const auto words = [&](auto change) { return words_after(good, change); };
  EXPECT_EQ(words([](SegmentHeader&) {}), "");
  EXPECT_EQ(words([](SegmentHeader& h) { h.packed_bytes = 0xffffffff; }),
            "segment 0 is larger than what it was made of");
  EXPECT_EQ(words([](SegmentHeader& h) { h.packed_bytes -= 1; }),
            "segment 0 is damaged: what was compressed does not come back");
  EXPECT_EQ(words([](SegmentHeader& h) { h.count = 8; }), "segment 0 names too many blocks");
  EXPECT_EQ(words([](SegmentHeader& h) { h.count = 6; }),
            "segment 0 is damaged: what was compressed does not come back");
  EXPECT_EQ(words([](SegmentHeader& h) { h.version = kStoreVersion; }),
            "segment 0 is of version 1");
}

// Two pages of bytes 5a, as zstd 1.5.4 compressed them: what is on a disk must be read for ever.
TEST_F(PackedStore, ReadsWhatWasCompressedOnce) {
  constexpr unsigned char kPacked[] = {0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x1f, 0x4d, 0x00, 0x00,
                                       0x10, 0x5a, 0x5a, 0x01, 0x00, 0xfb, 0xdf, 0x03, 0x2c};
  MemoryBlockStore disk(0);
  Store store(disk, {.segment_blocks = 3});
  ASSERT_EQ(store.open(&kTestIdentity), "");
  alignas(8) std::byte page[kBlockSize];
  std::memset(page, 0x5a, sizeof page);
  store.begin({7}, 1, 5);
  store.put(3, Block{page});
  store.put(4, Block{page});
  store.finish();
  store.complete();
  auto contents = disk.contents();
  std::memset(contents.data() + kFirstSegmentOffset + kBlockSize, 0, 2 * kBlockSize);
  std::memcpy(contents.data() + kFirstSegmentOffset + kBlockSize, kPacked, sizeof kPacked);
  for (const auto offset : kSuperblockOffset) {
    const Block block{contents.data() + offset, kBlockSize};
    auto superblock = read_superblock(block).superblock;
    superblock.version = kPackedVersion;
    write_superblock(superblock, block);
  }
  EXPECT_EQ(words_after(contents,
                        [&](SegmentHeader& header) {
                          header.version = kPackedVersion;
                          header.packed_bytes = sizeof kPacked;
                        }),
            "");
}

}  // namespace
}  // namespace plurix::checkpoint

// The store on a disk that has lost something, and with images that cannot be: what is still good
// stays in use, and what is not is refused in words.
#include <gtest/gtest.h>
#include <plurix/checkpoint/image_store.h>
#include <plurix/sim/memory_block_store.h>

#include "support/heap_images.h"

namespace plurix::checkpoint {
namespace {

using sim::MemoryBlockStore;
using testing::HeapImage;
using testing::kTestIdentity;
using testing::small_segments;
using testing::take;

/// A disk with one block that cannot be read any more.
class WornDisk : public MemoryBlockStore {
 public:
  using MemoryBlockStore::MemoryBlockStore;

  void lose(std::uint32_t block) noexcept { lost_ = std::uint64_t{block} * kBlockSize; }

  std::uint64_t start_read(std::uint64_t offset, std::span<std::byte> out) noexcept {
    const bool lost = lost_ >= offset && lost_ < offset + out.size();
    if (!lost) return MemoryBlockStore::start_read(offset, out);
    failed_ = true;
    return MemoryBlockStore::start_read(offset, scratch_.bytes().first(out.size()));
  }
  BlockError error() const noexcept {
    return failed_ ? BlockError::kDevice : MemoryBlockStore::error();
  }
  void clear_error() noexcept {
    failed_ = false;
    MemoryBlockStore::clear_error();
  }

 private:
  std::uint64_t lost_ = ~std::uint64_t{0};
  bool failed_ = false;
  AlignedMemory scratch_{kDefaultSegmentBlocks};
};

// Its segment is almost empty, so every image would like to move the page away.
TEST(DamagedStore, TakesImagesAlthoughABlockOfAnOldOneCannotBeRead) {
  WornDisk disk(7);
  ImageStore<WornDisk> store(disk, small_segments(2));
  ASSERT_EQ(store.open(&kTestIdentity), "");
  HeapImage heap(30);
  heap.change_some(30, 1);
  ASSERT_EQ(take(store, heap, 1), "");
  PageMap map;
  ASSERT_EQ(store.load_map(*store.newest(), map), "");
  disk.lose(map[0].block);
  for (std::uint64_t time = 2; time < 6; ++time) {
    for (PageIndex page = 1; page < 30; ++page) {
      heap.pages[page] = time * 100 + page;
      heap.changed.insert(page);
    }
    EXPECT_EQ(take(store, heap, time), "");
  }
  EXPECT_NE(store.verify(*store.newest()), "");
}

/// A store with one image, of which `change` makes something else; what opening it says.
template <class Change>
std::string words_after(Change change) {
  MemoryBlockStore disk(0);
  ImageStore<MemoryBlockStore> store(disk, small_segments(4));
  EXPECT_EQ(store.open(&kTestIdentity), "");
  HeapImage heap(20);
  heap.change_some(20, 1);
  EXPECT_EQ(take(store, heap, 1), "");
  auto contents = disk.contents();
  for (const auto offset : kSuperblockOffset) {
    const Block block{contents.data() + offset, kBlockSize};
    auto superblock = read_superblock(block).superblock;
    for (auto& image : superblock.images) change(image, contents, store.layout());
    write_superblock(superblock, block);
  }
  MemoryBlockStore changed(0, contents);
  return ImageStore<MemoryBlockStore>(changed).open();
}

TEST(DamagedStore, IsRefusedWithAnImageLargerThanTheFile) {
  for (const std::uint32_t high_water : {0x0100'0000U, 0xffff'fe00U, 0xffff'ffffU}) {
    const auto words =
        words_after([&](ImageEntry& image, auto&, auto) { image.high_water = high_water; });
    EXPECT_NE(words.find("larger than the store"), std::string::npos) << high_water << words;
  }
}

TEST(DamagedStore, IsRefusedWithAPageWhereTheSuperblocksStand) {
  const auto words = words_after([](ImageEntry& image, auto& contents, SegmentLayout layout) {
    const auto at = layout.offset(image.first_map) + kBlockSize;
    const MapEntry entry{SegmentLayout::kFirstBlock - 1, 0};
    std::memcpy(contents.data() + at, &entry, sizeof entry);
    image.map_crc = crc32c(Bytes{contents}.subspan(at, kBlockSize));
  });
  EXPECT_NE(words.find("where the superblocks stand"), std::string::npos) << words;
}

}  // namespace
}  // namespace plurix::checkpoint

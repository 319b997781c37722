// Opens a store that the input has damaged: a good one, with runs of bytes of its superblocks,
// summaries, maps and pages replaced. Half of the inputs get right checksums afterwards, or nothing
// behind the first check would ever be reached. Whatever it finds, the store reads nothing outside
// its limits, refuses in words, and takes the next image all the same when it has opened.
#include <plurix/base/assert.h>
#include <plurix/checkpoint/image_store.h>
#include <plurix/sim/memory_block_store.h>

#include <cstdint>
#include <vector>

namespace {

using namespace plurix;
using namespace plurix::checkpoint;
using sim::DiskImage;
using sim::MemoryBlockStore;
using Store = ImageStore<MemoryBlockStore>;

constexpr PageIndex kPages = 40;
const StoreOptions kOptions{.segment_blocks = 3, .keep_images = 3};

void take(Store& store, std::uint64_t time, PageIndex first, PageIndex count) {
  alignas(8) std::byte page[kBlockSize];
  store.begin({time}, 1, kPages);
  for (auto i = first; i < first + count; ++i) {
    std::memset(page, static_cast<int>(time + i), sizeof page);
    store.put(i, ConstBlock{page});
  }
  store.finish();
  store.complete();
}

DiskImage make_good(int level) {
  MemoryBlockStore disk;
  auto options = kOptions;
  options.compression = zstd(level);
  Store store(disk, options);
  const Identity identity{.cluster = 7, .incarnation = 1, .epoch_limit = 2, .geometry = {}};
  PLURIX_ASSERT(store.open(&identity).empty());
  take(store, 5, 0, 9);
  take(store, 8, 4, 3);
  take(store, 9, 30, 2);
  return disk.contents();
}

/// Replaces runs of bytes: block (2 bytes), offset in it (2), length (1), bytes. The blocks between
/// the superblocks, which nobody reads, are left out of the numbers.
void damage(DiskImage& disk, Bytes orders) {
  const auto number = [&](std::size_t at) { return std::to_integer<std::size_t>(orders[at]); };
  while (orders.size() > 5) {
    const auto blocks = disk.size() / kBlockSize;
    constexpr std::size_t kUnread = kFirstSegmentOffset / kBlockSize - 2;
    const auto chosen = (number(0) | number(1) << 8) % (blocks - kUnread);
    const auto block = chosen < 2 ? kSuperblockOffset[chosen] / kBlockSize : chosen + kUnread;
    const auto offset = (number(2) | number(3) << 8) % kBlockSize;
    const auto count = std::min({number(4), orders.size() - 5, kBlockSize - offset});
    std::memcpy(disk.data() + block * kBlockSize + offset, orders.data() + 5, count);
    orders = orders.subspan(5 + count);
  }
}

Block block_at(DiskImage& disk, std::uint64_t offset) {
  return Block{disk.data() + offset, kBlockSize};
}

void correct_checksum(Block block) {
  const auto crc = crc32c(ConstBlock(block).subspan(sizeof(std::uint32_t)));
  std::memcpy(block.data(), &crc, sizeof crc);
}

/// Of the blocks that a reader would take for the image's map.
std::uint32_t checksum_of_map(DiskImage& disk, const ImageEntry& image, SegmentLayout layout) {
  std::uint32_t crc = 0;
  auto left = (std::size_t{image.high_water} + kMapEntriesPerBlock - 1) / kMapEntriesPerBlock;
  for (auto segment = image.first_map; left > 0;) {
    const auto offset = layout.offset(segment);
    if (offset + kBlockSize > disk.size()) return crc;
    SegmentHeader header;
    std::memcpy(&header, disk.data() + offset, sizeof header);
    if (header.count == 0) return crc;
    for (std::uint32_t i = 1; i <= header.count && left > 0; ++i, --left) {
      if (offset + (i + 1) * std::uint64_t{kBlockSize} > disk.size()) return crc;
      crc = crc32c(block_at(disk, offset + i * std::uint64_t{kBlockSize}), crc);
    }
    segment = header.next;
  }
  return crc;
}

void correct_superblock(DiskImage& disk, Block block) {
  SuperblockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  for (std::size_t i = 0; i < std::min<std::size_t>(header.images, kMaxImages); ++i) {
    const auto at = block.data() + sizeof header + i * sizeof(ImageEntry);
    ImageEntry image;
    std::memcpy(&image, at, sizeof image);
    image.map_crc = checksum_of_map(disk, image, {std::max(header.segment_blocks, 1U)});
    std::memcpy(at, &image, sizeof image);
  }
  correct_checksum(block);
}

void correct_checksums(DiskImage& disk) {
  for (auto at = kFirstSegmentOffset; at + kBlockSize <= disk.size(); at += kBlockSize) {
    std::uint32_t magic = 0;
    std::memcpy(&magic, disk.data() + at + offsetof(SegmentHeader, magic), sizeof magic);
    if (magic == kSegmentMagic) correct_checksum(block_at(disk, at));
  }
  for (const auto offset : kSuperblockOffset) correct_superblock(disk, block_at(disk, offset));
}

/// Returns whether the image could be read whole.
bool look_at(Store& store, const ImageEntry& image) {
  const bool sound = store.verify(image).empty();
  const auto words = store.read_image(
      image, [&](PageIndex page, ConstBlock) { PLURIX_ASSERT(page < image.high_water); });
  PLURIX_ASSERT(!sound || words.empty());
  return words.empty();
}

/// What was put comes back, whatever else is in the image.
void go_on(MemoryBlockStore& disk, Store& store) {
  take(store, 20, 1, 4);
  PLURIX_ASSERT(store.error().empty());
  const auto stored = disk.contents();
  MemoryBlockStore copy(0, stored);
  Store again(copy, kOptions);
  PLURIX_ASSERT(again.open().empty());
  PLURIX_ASSERT(again.newest()->time == 20);
  (void)again.read_image(*again.newest(), [](PageIndex page, ConstBlock block) {
    const auto expected = static_cast<std::byte>(20 + page);
    if (page >= 1 && page < 5) PLURIX_ASSERT(block[0] == expected && block[4095] == expected);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const DiskImage good[] = {make_good(0), make_good(1)};
  auto bytes = good[data[0] / 2 % 2];
  damage(bytes, std::as_bytes(std::span{data + 1, size - 1}));
  if (data[0] % 2 == 0) correct_checksums(bytes);
  MemoryBlockStore disk(0, std::move(bytes));
  Store store(disk, kOptions);
  if (!store.open().empty()) return 0;
  const auto images = store.images();
  for (const auto& image : images) (void)look_at(store, image);
  go_on(disk, store);
  return 0;
}

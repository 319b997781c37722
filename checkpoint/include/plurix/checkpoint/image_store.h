// ImageStore: consistent images of a heap in a log of segments (paper section 5, DESIGN C1–C3).
//
// An image is begun on top of the newest one, gets the pages that changed, and is finished. It
// takes this order: segments → flush → superblock → flush; until the last flush has finished the
// image does not exist, and a crash finds the one before.
//
// Invariants
// - No segment is written that an image of the current superblock or of the one before it needs: a
//   crash, and a superblock that cannot be read, find everything that they name.
// - What is read is checked against the checksum in its map; nothing damaged is handed out.
// - Opening reads the two superblocks and the maps of the kept images, whatever the store holds.
//
// Nothing here waits for the device except where it says so: `poll` takes the finishing image as
// far as it goes.
#pragma once

#include <plurix/base/assert.h>
#include <plurix/base/crc32c.h>
#include <plurix/base/mutation.h>
#include <plurix/checkpoint/page_map.h>
#include <plurix/checkpoint/segment.h>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace plurix::checkpoint {

struct StoreOptions {
  std::uint32_t segment_blocks = kDefaultSegmentBlocks;  ///< of a new store
  std::uint32_t keep_images = 8;                         ///< 1 to kMaxImages
  std::uint64_t max_bytes = ~std::uint64_t{0};           ///< the store does not grow beyond it
  Compression compression = zstd();                      ///< of the segments that are written
};

/// What a device's error means, in words.
std::string words_for(BlockError error);

template <BlockStore Device>
class ImageStore {
 public:
  /// The device outlives the store.
  explicit ImageStore(Device& device, const StoreOptions& options = {})
      : device_(device), options_(options), superblock_memory_(2) {}
  ImageStore(const ImageStore&) = delete;
  ImageStore& operator=(const ImageStore&) = delete;
  ~ImageStore() {
    finish_all(device_);
    if constexpr (requires { device_.forget_memory(); }) device_.forget_memory();
  }

  // ---- opening. These wait for the device and return what went wrong in words, or nothing.

  /// Opens what is there. An empty device is an error unless `create`: then it becomes a store of
  /// that identity.
  std::string open(const Identity* create = nullptr);

  /// Changes what the superblock says beside the images. No image is being taken.
  std::string set_identity(const Identity& identity);

  /// Makes sure that who opens the device next finds the images that are known here: after an image
  /// that failed while its superblock was under way, it could find that one too.
  std::string settle();

  /// Makes a kept image the newest one, so that the next run goes on from it.
  std::string promote(std::uint64_t time);

  // ---- what there is

  const Identity& identity() const noexcept { return current_.identity; }
  const std::vector<ImageEntry>& images() const noexcept { return current_.images; }
  const ImageEntry* newest() const noexcept {
    return current_.images.empty() ? nullptr : &current_.images.back();
  }
  const ImageEntry* find(std::uint64_t time) const noexcept;
  std::uint64_t sequence() const noexcept { return current_.sequence; }
  SegmentLayout layout() const noexcept { return {current_.segment_blocks}; }
  std::uint32_t segments_in_use() const noexcept { return in_use_.count(); }

  // ---- taking an image

  enum class Phase : std::uint8_t {
    kIdle,
    kWriting,           ///< pages may be put
    kSegmentsUnderWay,  ///< the last segments are being written
    kFlushingSegments,  ///< … and flushed
    kSuperblockUnderWay,
    kFlushingSuperblock,
  };
  Phase phase() const noexcept { return phase_; }
  bool idle() const noexcept { return phase_ == Phase::kIdle; }

  /// Begins the image of `time`, which shares all pages with the newest one until they are put.
  void begin(CommitTime time, Epoch epoch, PageIndex high_water);

  /// The contents of `page` at the image's time; at most once a page. Waits for the device when it
  /// is slower.
  void put(PageIndex page, ConstBlock contents);

  /// Whether `put` would not wait for the device for two segments' worth of pages.
  bool has_room() const noexcept;
  /// Nothing is on its way to the device.
  bool quiet() const noexcept { return device_.finished() == device_.started(); }

  /// No page is missing any more: moves some pages out of segments that are mostly empty, and waits
  /// for the device for as long as that takes. False when there is nothing left to move.
  bool clean();

  /// No page is missing any more: cleans to the end, and what is left goes to the device. `about`
  /// completes the entry (pages_known, duration_us, taken_unix_ns).
  void finish(const ImageEntry& about = {});

  /// The image will not be: the store stays as it was.
  void abandon();

  /// Goes on with what the device has finished. True when an image has just become durable.
  bool poll();

  /// Waits until the image that is being finished is durable or has failed.
  void complete() {
    while (phase_ > Phase::kWriting && !poll()) device_.wait();
  }

  /// Why the last image failed, in words; empty if it did not. The store is as before it.
  const std::string& error() const noexcept { return error_; }

  // ---- reading. These wait for the device.

  /// Reads the map of an image. Returns words if that is not possible.
  std::string load_map(const ImageEntry& image, PageMap& map) {
    return read_map(image, map, nullptr);
  }

  /// Calls `use(page, bytes)` for every page that was ever written, in the order of the disk.
  template <class Use>
  std::string read_image(const ImageEntry& image, Use use) {
    return read_image(image, use, [](PageIndex) { return true; });
  }

  /// The same for those of them of which `wanted(page)` is true.
  template <class Use, class Wanted>
  std::string read_image(const ImageEntry& image, Use use, Wanted wanted);

  /// The same for pages of a map that the caller chose.
  template <class Use>
  std::string read_pages(const std::vector<PlacedPage>& pages, Use use);

  /// Reads all that an image consists of, summaries included.
  std::string verify(const ImageEntry& image);

  /// Puts into `bytes` how much is stored of the segments that an image needs, those that it shares
  /// with others included.
  std::string measure(const ImageEntry& image, std::uint64_t& bytes);

 private:
  static constexpr std::uint32_t kBuffers = 4;  ///< segments that may be on their way to the device

  std::string read_map(const ImageEntry& image, PageMap& map, SegmentSet* segments);
  std::string read_summary(std::uint32_t segment, Block block, SegmentHeader& header);

  /// Pages of one segment, neighbours in the order of the disk.
  using Neighbours = std::span<const PlacedPage>;
  Neighbours first_segment_of(Neighbours pages) const noexcept;
  /// The memory for one segment as it is stored and as it was.
  struct SegmentRoom {
    explicit SegmentRoom(std::uint32_t blocks) : stored(blocks), unpacked(blocks) {}
    AlignedMemory stored;
    AlignedMemory unpacked;
  };
  /// Reads segment `segment` and lets `contents` be its blocks.
  std::string load_segment(std::uint32_t segment, SegmentRoom& room, Bytes& contents);
  template <class Use>
  std::string read_segment(Neighbours pages, SegmentRoom& room, Use use);
  template <class Use>
  std::string read_by_segment(Neighbours pages, Use use);
  static std::string why_damaged(const PlacedPage& placed, ConstBlock block);
  void copy_packed(Neighbours pages, const AlignedMemory& copies);
  void copy_plain(Neighbours pages, const AlignedMemory& copies);
  std::string read_now(std::uint64_t offset, std::span<std::byte> out);
  std::string write_superblock_now(Superblock next);
  void set_current(Superblock next, int place);
  void next_segment(SegmentKind kind);
  void write_segment();
  std::uint32_t allocate();
  void choose_moved();
  void move_some(std::span<const PlacedPage> pages);
  void write_map(std::uint32_t& first, std::uint32_t& crc);
  void start_superblock();
  void fail(std::string words);
  bool device_failed();
  bool may_be_packed() const noexcept { return current_.version == kPackedVersion; }
  /// Behind all blocks that pages may have. The last segment of the device may be a compressed one,
  /// whose blocks are not all there.
  std::uint32_t end_block() const noexcept {
    const auto stored = device_.bytes() / kBlockSize;
    const auto all = may_be_packed() ? stored + layout().blocks : stored;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(all, 0xffffffff));
  }

  SegmentBuilder& builder() noexcept { return builders_[turn_]; }

  Device& device_;
  const StoreOptions options_;
  AlignedMemory superblock_memory_;
  std::vector<AlignedMemory> memory_;
  std::vector<SegmentBuilder> builders_;
  std::vector<std::byte> packing_room_;
  std::uint64_t written_before_[kBuffers] =
      {};  ///< the buffer is free when all before have finished
  std::uint32_t turn_ = 0;
  bool filling_ = false;  ///< `builder` has a segment
  bool settled_ = true;   ///< the device holds no superblock newer than ours

  Superblock current_;
  int place_ = 1;
  PageMap map_;                    ///< of the newest image
  std::vector<SegmentSet> needs_;  ///< by image
  SegmentSet needed_before_;       ///< by the images of the superblock before this one
  SegmentSet in_use_;

  Phase phase_ = Phase::kIdle;
  ImageEntry taking_;
  PageMap next_map_;
  SegmentSet fresh_;  ///< allocated for the image being taken
  bool cleaning_ = false;
  std::vector<PlacedPage> moved_;  ///< by the cleaner
  std::size_t moved_so_far_ = 0;
  Superblock next_;
  std::uint64_t awaited_ = 0;
  std::string error_;
};

}  // namespace plurix::checkpoint

#include <plurix/checkpoint/image_reading.h>
#include <plurix/checkpoint/image_writing.h>

// The bytes of a store, as docs/store.md draws them: two superblocks written in turn, and segments
// of whole blocks behind them. Little-endian, no padding, everything under a CRC32C.
#pragma once

#include <plurix/base/page.h>
#include <plurix/concepts/block_store.h>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace plurix::checkpoint {

static_assert(std::endian::native == std::endian::little, "the store is little-endian");
static_assert(kPageSize == kBlockSize, "a page fills a block");

inline constexpr std::uint32_t kSuperblockMagic = 0x53584c50;  // "PLXS"
inline constexpr std::uint32_t kSegmentMagic = 0x4c584c50;     // "PLXL"
inline constexpr std::uint16_t kStoreVersion = 1;
/// Of a store that may have compressed segments, and of each of these.
inline constexpr std::uint16_t kPackedVersion = 2;
inline constexpr std::uint32_t kNoSegment = 0xffffffff;

/// The superblocks stand so far apart that no write touches both; segments begin behind them.
inline constexpr std::uint64_t kSuperblockOffset[2] = {0, 32 * kBlockSize};
inline constexpr std::uint64_t kFirstSegmentOffset = 64 * kBlockSize;

inline constexpr std::uint32_t kDefaultSegmentBlocks = 256;
inline constexpr std::uint32_t kMinSegmentBlocks = 2;
inline constexpr std::uint32_t kMaxImages = 48;  ///< kept at once

/// One image in a superblock.
struct ImageEntry {
  std::uint64_t time = 0;           ///< the commit time whose state it is
  std::uint64_t previous = 0;       ///< time of the image that it was added to
  std::uint64_t sequence = 0;       ///< of the superblock that named it first
  std::int64_t taken_unix_ns = 0;   ///< wall clock, for people
  std::uint32_t epoch = 0;          ///< in which the commit was made
  std::uint32_t high_water = 0;     ///< pages from here on were never written
  std::uint32_t first_map = 0;      ///< segment with the begin of its page map
  std::uint32_t map_crc = 0;        ///< CRC32C over the blocks of the map
  std::uint32_t pages_written = 0;  ///< new in this image
  std::uint32_t pages_known = 0;    ///< of these, how many the PageServer had without asking
  std::uint32_t duration_us = 0;    ///< from its commit time until it was durable
  std::uint32_t pages_snooped = 0;  ///< of those known, how many it had overheard

  CommitTime commit_time() const noexcept { return {time}; }
  friend bool operator==(const ImageEntry&, const ImageEntry&) = default;
};
static_assert(sizeof(ImageEntry) == 64);
static_assert(std::has_unique_object_representations_v<ImageEntry>);

/// Whose heap it is, and who its PageServer is: it takes up its former role with this.
/// How the PageServer's last life ended.
enum class Parting : std::uint16_t {
  kNone = 0,     ///< not in an orderly way, or as the last member: nobody goes on without it
  kLeaving = 1,  ///< perhaps before it had left
  kLeft = 2,     ///< others were there, and may go on
  /// The same, and it has begun to ask whether it may join them again, as `incarnation`. Who dies
  /// over that asks as the same one again: perhaps they have let it in, and wait for it.
  kReturning = 3,
};

struct Identity {
  std::uint64_t cluster = 0;      ///< on the wire
  std::uint32_t incarnation = 0;  ///< of the PageServer
  std::uint32_t epoch_limit = 0;  ///< no epoch from here on was ever begun
  HeapGeometry geometry;
  std::uint16_t node = 0;  ///< the PageServer's number
  Parting parting = Parting::kNone;
  std::uint32_t endpoint = 0;  ///< where it was reached last, hashed; 0: not known

  friend bool operator==(const Identity&, const Identity&) = default;
};
static_assert(sizeof(Identity) == 40);

struct SuperblockHeader {
  std::uint32_t crc32c = 0;  ///< of everything behind this field, to the end of the block
  std::uint32_t magic = kSuperblockMagic;
  std::uint16_t version = kStoreVersion;
  std::uint16_t images = 0;
  std::uint32_t segment_blocks = kDefaultSegmentBlocks;
  std::uint64_t sequence = 0;  ///< the larger one counts
  Identity identity;
};
static_assert(sizeof(SuperblockHeader) == 64);
static_assert(sizeof(SuperblockHeader) + kMaxImages * sizeof(ImageEntry) <= kBlockSize);

enum class SegmentKind : std::uint16_t { kPages = 1, kMap = 2 };

/// The first block of a segment: this header and one SummaryEntry for each block that follows.
struct SegmentHeader {
  std::uint32_t crc32c = 0;  ///< of everything behind this field, to the end of the block
  std::uint32_t magic = kSegmentMagic;
  std::uint16_t version = kStoreVersion;
  SegmentKind kind = SegmentKind::kPages;
  std::uint32_t segment = 0;  ///< its own number: a misplaced write is noticed
  std::uint64_t time = 0;     ///< commit time of the image it was written for
  std::uint64_t cluster = 0;
  std::uint64_t sequence = 0;  ///< of the superblock that shall name the image
  std::uint32_t epoch = 0;
  std::uint32_t count = 0;          ///< blocks behind this one, before they were compressed
  std::uint32_t next = kNoSegment;  ///< of a map: where it goes on
  std::uint32_t packed_bytes = 0;   ///< of `count` blocks in compressed form; 0: they are not
  std::uint64_t reserved = 0;
};
static_assert(sizeof(SegmentHeader) == 64);

struct SummaryEntry {
  std::uint32_t item = 0;    ///< the page; of a map: the number of this block of it
  std::uint32_t crc32c = 0;  ///< of the block
};

inline constexpr std::uint32_t kMaxSegmentBlocks =
    1 + (kBlockSize - sizeof(SegmentHeader)) / sizeof(SummaryEntry);

/// Where the contents of a page stand.
struct MapEntry {
  std::uint32_t block = 0;  ///< number of a block of the store; 0: the page was never written
  std::uint32_t crc32c = 0;

  friend bool operator==(const MapEntry&, const MapEntry&) = default;
};
inline constexpr std::uint32_t kMapEntriesPerBlock = kBlockSize / sizeof(MapEntry);

}  // namespace plurix::checkpoint

// Superblock: which images there are, and who this store belongs to. Two places take turns, so that
// a write that is cut leaves the other one.
#pragma once

#include <plurix/checkpoint/format.h>

#include <span>
#include <string>
#include <vector>

namespace plurix::checkpoint {

struct Superblock {
  std::uint16_t version = kStoreVersion;
  std::uint64_t sequence = 0;
  std::uint32_t segment_blocks = kDefaultSegmentBlocks;
  Identity identity;
  std::vector<ImageEntry> images;  ///< in the order in which they were taken

  friend bool operator==(const Superblock&, const Superblock&) = default;
};

using Block = std::span<std::byte, kBlockSize>;
using ConstBlock = std::span<const std::byte, kBlockSize>;

void write_superblock(const Superblock& superblock, Block block) noexcept;

/// How a block that should hold a superblock looks.
enum class SuperblockState : std::uint8_t { kGood, kEmpty, kForeign, kOtherVersion, kDamaged };

struct SuperblockReading {
  SuperblockState state = SuperblockState::kEmpty;
  std::uint16_t version = 0;  ///< as it says
  Superblock superblock;      ///< when good
};

SuperblockReading read_superblock(ConstBlock block);

/// What two places together say: the newer good one, an empty store, or words that say why neither
/// can be used.
struct SuperblockChoice {
  bool empty = false;  ///< a new store
  int place = -1;      ///< the good one, 0 or 1
  bool other_good = false;
  std::string error;
  Superblock superblock;
  Superblock other;  ///< the one before, when good too
};

SuperblockChoice choose_superblock(const SuperblockReading& first, const SuperblockReading& second);

}  // namespace plurix::checkpoint

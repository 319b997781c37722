#include <plurix/base/assert.h>
#include <plurix/base/crc32c.h>
#include <plurix/checkpoint/superblock.h>

#include <algorithm>
#include <cstring>

namespace plurix::checkpoint {
namespace {

constexpr std::size_t kBehindCrc = sizeof(std::uint32_t);

bool is_zero(ConstBlock block) noexcept {
  return std::all_of(block.begin(), block.end(), [](auto byte) { return byte == std::byte{0}; });
}

bool makes_sense(const SuperblockHeader& header) noexcept {
  return header.images <= kMaxImages && header.segment_blocks >= kMinSegmentBlocks &&
         header.segment_blocks <= kMaxSegmentBlocks;
}

}  // namespace

void write_superblock(const Superblock& superblock, Block block) noexcept {
  PLURIX_ASSERT(superblock.images.size() <= kMaxImages);
  SuperblockHeader header;
  header.version = superblock.version;
  header.images = static_cast<std::uint16_t>(superblock.images.size());
  header.segment_blocks = superblock.segment_blocks;
  header.sequence = superblock.sequence;
  header.identity = superblock.identity;
  std::memset(block.data(), 0, block.size());
  std::memcpy(block.data(), &header, sizeof header);
  if (!superblock.images.empty()) {
    std::memcpy(block.data() + sizeof header, superblock.images.data(),
                superblock.images.size() * sizeof(ImageEntry));
  }
  header.crc32c = crc32c(ConstBlock(block).subspan(kBehindCrc));
  std::memcpy(block.data(), &header.crc32c, sizeof header.crc32c);
}

SuperblockReading read_superblock(ConstBlock block) {
  SuperblockReading reading;
  if (is_zero(block)) return reading;
  SuperblockHeader header;
  std::memcpy(&header, block.data(), sizeof header);
  reading.version = header.version;
  if (header.magic != kSuperblockMagic) {
    reading.state = SuperblockState::kForeign;
  } else if (header.crc32c != crc32c(block.subspan(kBehindCrc))) {
    reading.state = SuperblockState::kDamaged;
  } else if (header.version != kStoreVersion && header.version != kPackedVersion) {
    reading.state = SuperblockState::kOtherVersion;
  } else if (!makes_sense(header)) {
    reading.state = SuperblockState::kDamaged;
  } else {
    reading.state = SuperblockState::kGood;
    auto& superblock = reading.superblock;
    superblock.version = header.version;
    superblock.sequence = header.sequence;
    superblock.segment_blocks = header.segment_blocks;
    superblock.identity = header.identity;
    superblock.images.resize(header.images);
    if (header.images > 0) {
      std::memcpy(superblock.images.data(), block.data() + sizeof header,
                  header.images * sizeof(ImageEntry));
    }
  }
  return reading;
}

SuperblockChoice choose_superblock(const SuperblockReading& first,
                                   const SuperblockReading& second) {
  using State = SuperblockState;
  SuperblockChoice choice;
  const auto* newer = &first;
  const auto* older = &second;
  if (newer->state != State::kGood ||
      (older->state == State::kGood && older->superblock.sequence > newer->superblock.sequence)) {
    std::swap(newer, older);
  }
  for (const auto* reading : {&first, &second}) {
    if (reading->state != State::kOtherVersion) continue;
    choice.error = "the store is of version " + std::to_string(reading->version) +
                   ", this program reads versions " + std::to_string(kStoreVersion) + " to " +
                   std::to_string(kPackedVersion) +
                   "; use the program that wrote it, or another directory";
    return choice;
  }
  if (newer->state == State::kGood) {
    choice.place = newer == &first ? 0 : 1;
    choice.superblock = newer->superblock;
    choice.other_good = older->state == State::kGood;
    choice.other = older->superblock;
    return choice;
  }
  choice.empty = first.state == State::kEmpty && second.state == State::kEmpty;
  // The very first superblock was cut: there was nothing before it, so nothing is lost.
  if (first.state == State::kDamaged && second.state == State::kEmpty) choice.empty = true;
  if (choice.empty) return choice;
  const bool foreign = first.state == State::kForeign || second.state == State::kForeign;
  choice.error = foreign ? "this is not a store of Plurix; use another directory"
                         : "both superblocks are damaged; restore the file from a copy";
  return choice;
}

}  // namespace plurix::checkpoint

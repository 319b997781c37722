// PageMap: where every page of one image stands. And from it: which segments the image needs, and
// which of them hold so little that their pages are better written again elsewhere.
#pragma once

#include <plurix/checkpoint/format.h>

#include <span>
#include <vector>

namespace plurix::checkpoint {

/// Segments are numbered; their blocks follow each other.
struct SegmentLayout {
  std::uint32_t blocks = kDefaultSegmentBlocks;  ///< in a segment, its summary included

  static constexpr std::uint32_t kFirstBlock = kFirstSegmentOffset / kBlockSize;

  std::uint32_t segment_of(std::uint32_t block) const noexcept {
    return (block - kFirstBlock) / blocks;
  }
  std::uint32_t first_block(std::uint32_t segment) const noexcept {
    return kFirstBlock + segment * blocks;
  }
  std::uint64_t offset(std::uint32_t segment) const noexcept {
    return std::uint64_t{first_block(segment)} * kBlockSize;
  }
};

using PageMap = std::vector<MapEntry>;

/// One bit a segment, as long as it has to be.
class SegmentSet {
 public:
  void add(std::uint32_t segment);
  bool has(std::uint32_t segment) const noexcept {
    return segment < bits_.size() && bits_[segment];
  }
  void add(const SegmentSet& other);
  std::uint32_t count() const noexcept;
  /// No segment from here on is in it.
  std::uint32_t limit() const noexcept { return static_cast<std::uint32_t>(bits_.size()); }
  /// The smallest segment that is not in it.
  std::uint32_t first_free() const noexcept;

 private:
  std::vector<bool> bits_;
};

/// The segments that `map` points into, of a store that ends at block `end`: what should stand
/// behind it is lost, and needs no room.
SegmentSet segments_of(std::span<const MapEntry> map, SegmentLayout layout, std::uint32_t end);

/// A page and where it stands, for reading in the order of the disk.
struct PlacedPage {
  PageIndex page = 0;
  MapEntry at;
};

/// All pages of the map, in ascending order of their blocks.
std::vector<PlacedPage> in_disk_order(std::span<const MapEntry> map);

/// The pages to be moved so that segments become free, in a store that ends at block `end`: of
/// segments less than half full and not in `fresh`, the emptiest first, together at most `budget`
/// pages.
std::vector<PlacedPage> worth_moving(std::span<const MapEntry> map, SegmentLayout layout,
                                     std::uint32_t end, const SegmentSet& fresh,
                                     std::size_t budget);

}  // namespace plurix::checkpoint

#include <plurix/checkpoint/page_map.h>

#include <algorithm>
#include <map>

namespace plurix::checkpoint {

void SegmentSet::add(std::uint32_t segment) {
  if (segment >= bits_.size()) bits_.resize(segment + 1);
  bits_[segment] = true;
}

void SegmentSet::add(const SegmentSet& other) {
  if (other.bits_.size() > bits_.size()) bits_.resize(other.bits_.size());
  for (std::size_t i = 0; i < other.bits_.size(); ++i) bits_[i] = bits_[i] || other.bits_[i];
}

std::uint32_t SegmentSet::count() const noexcept {
  return static_cast<std::uint32_t>(std::count(bits_.begin(), bits_.end(), true));
}

std::uint32_t SegmentSet::first_free() const noexcept {
  return static_cast<std::uint32_t>(std::find(bits_.begin(), bits_.end(), false) - bits_.begin());
}

SegmentSet segments_of(std::span<const MapEntry> map, SegmentLayout layout, std::uint32_t end) {
  SegmentSet set;
  for (const auto& entry : map) {
    if (entry.block != 0 && entry.block < end) set.add(layout.segment_of(entry.block));
  }
  return set;
}

std::vector<PlacedPage> in_disk_order(std::span<const MapEntry> map) {
  std::vector<PlacedPage> pages;
  for (PageIndex page = 0; page < map.size(); ++page) {
    if (map[page].block != 0) pages.push_back({page, map[page]});
  }
  std::sort(pages.begin(), pages.end(),
            [](const auto& a, const auto& b) { return a.at.block < b.at.block; });
  return pages;
}

std::vector<PlacedPage> worth_moving(std::span<const MapEntry> map, SegmentLayout layout,
                                     const SegmentSet& fresh, std::size_t budget) {
  std::map<std::uint32_t, std::vector<PlacedPage>> live;
  for (const auto& placed : in_disk_order(map)) {
    const auto segment = layout.segment_of(placed.at.block);
    if (!fresh.has(segment)) live[segment].push_back(placed);
  }
  std::vector<const std::vector<PlacedPage>*> candidates;
  for (const auto& [segment, pages] : live) {
    if (pages.size() <= (layout.blocks - 1) / 2) candidates.push_back(&pages);
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto* a, const auto* b) {
    if (a->size() != b->size()) return a->size() < b->size();
    return a->front().at.block < b->front().at.block;
  });
  std::vector<PlacedPage> moved;
  for (const auto* pages : candidates) {
    if (moved.size() + pages->size() > budget) break;
    moved.insert(moved.end(), pages->begin(), pages->end());
  }
  return moved;
}

}  // namespace plurix::checkpoint

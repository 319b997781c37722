#include <plurix/checkpoint/page_map.h>

#include <algorithm>
#include <utility>

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

namespace {

void sort_by_place(std::vector<PlacedPage>& pages) {
  std::sort(pages.begin(), pages.end(),
            [](const auto& a, const auto& b) { return a.at.block < b.at.block; });
}

}  // namespace

std::vector<PlacedPage> in_disk_order(std::span<const MapEntry> map) {
  std::vector<PlacedPage> pages;
  for (PageIndex page = 0; page < map.size(); ++page) {
    if (map[page].block != 0) pages.push_back({page, map[page]});
  }
  sort_by_place(pages);
  return pages;
}

namespace {

/// A damaged map may point anywhere: what is not in the store cannot be moved.
bool stands_in_store(const MapEntry& entry, std::uint32_t end) {
  return entry.block >= SegmentLayout::kFirstBlock && entry.block < end;
}

std::vector<std::uint32_t> pages_by_segment(std::span<const MapEntry> map, SegmentLayout layout,
                                            std::uint32_t end) {
  std::vector<std::uint32_t> pages;
  for (const auto& entry : map) {
    if (!stands_in_store(entry, end)) continue;
    const auto segment = layout.segment_of(entry.block);
    if (segment >= pages.size()) pages.resize(segment + std::size_t{1});
    ++pages[segment];
  }
  return pages;
}

/// Segments less than half full, the emptiest first, with no more than `budget` pages together.
SegmentSet worth_emptying(const std::vector<std::uint32_t>& pages, SegmentLayout layout,
                          const SegmentSet& fresh, std::size_t budget) {
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t segment = 0; segment < pages.size(); ++segment) {
    const bool sparse = pages[segment] > 0 && pages[segment] <= (layout.blocks - 1) / 2;
    if (sparse && !fresh.has(segment)) candidates.push_back(segment);
  }
  std::sort(candidates.begin(), candidates.end(),
            [&pages](auto a, auto b) { return std::pair(pages[a], a) < std::pair(pages[b], b); });
  SegmentSet chosen;
  for (const auto segment : candidates) {
    if (pages[segment] > budget) break;
    budget -= pages[segment];
    chosen.add(segment);
  }
  return chosen;
}

}  // namespace

std::vector<PlacedPage> worth_moving(std::span<const MapEntry> map, SegmentLayout layout,
                                     std::uint32_t end, const SegmentSet& fresh,
                                     std::size_t budget) {
  const auto chosen = worth_emptying(pages_by_segment(map, layout, end), layout, fresh, budget);
  std::vector<PlacedPage> moved;
  if (chosen.count() == 0) return moved;
  for (PageIndex page = 0; page < map.size(); ++page) {
    if (!stands_in_store(map[page], end)) continue;
    if (!chosen.has(layout.segment_of(map[page].block))) continue;
    moved.push_back({page, map[page]});
  }
  sort_by_place(moved);
  return moved;
}

}  // namespace plurix::checkpoint

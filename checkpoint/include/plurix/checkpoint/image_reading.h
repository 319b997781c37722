// Bodies of ImageStore: opening and reading.
#pragma once

#include <plurix/checkpoint/image_store.h>

namespace plurix::checkpoint {

template <BlockStore Device>
std::string ImageStore<Device>::read_now(std::uint64_t offset, std::span<std::byte> out) {
  finish_all(device_);
  device_.clear_error();
  if (offset + out.size() > device_.bytes()) return "the store ends too early";
  plurix::finish(device_, device_.start_read(offset, out) + 1);
  return device_.error() == BlockError::kNone ? "" : words_for(device_.error());
}

template <BlockStore Device>
std::string ImageStore<Device>::open(const Identity* create) {
  PLURIX_ASSERT(options_.keep_images >= 1 && options_.keep_images <= kMaxImages);
  SuperblockReading readings[2];
  for (int i = 0; i < 2; ++i) {
    const auto block = superblock_memory_.block(static_cast<std::size_t>(i));
    std::memset(block.data(), 0, block.size());
    if (kSuperblockOffset[i] + kBlockSize > device_.bytes()) continue;
    if (auto error = read_now(kSuperblockOffset[i], block); !error.empty()) return error;
    readings[i] = read_superblock(block);
  }
  auto choice = choose_superblock(readings[0], readings[1]);
  if (!choice.error.empty()) return choice.error;
  if (choice.empty) {
    if (create == nullptr) return "there is no store yet";
    current_.segment_blocks = options_.segment_blocks;
    // Both places are filled before anything else is written, so that later one damaged superblock
    // cannot be mistaken for a store that never was.
    if (auto error = set_identity(*create); !error.empty()) return error;
    return set_identity(*create);
  }
  current_.segment_blocks = choice.superblock.segment_blocks;
  current_.version = choice.superblock.version;
  if (choice.other_good) {
    for (const auto& image : choice.other.images) {
      PageMap map;
      // What cannot be read there is not needed: the newer superblock is good.
      if (!read_map(image, map, &needed_before_).empty()) continue;
      needed_before_.add(segments_of(map, {choice.superblock.segment_blocks}, end_block()));
    }
  }
  for (const auto& image : choice.superblock.images) {
    SegmentSet needs;
    if (auto error = read_map(image, map_, &needs); !error.empty()) {
      return "the map of image " + std::to_string(image.time) + ": " + error;
    }
    needs.add(segments_of(map_, layout(), end_block()));
    needs_.push_back(std::move(needs));
  }
  set_current(std::move(choice.superblock), choice.place);
  return {};
}

template <BlockStore Device>
const ImageEntry* ImageStore<Device>::find(std::uint64_t time) const noexcept {
  const auto& all = current_.images;
  const auto found = std::find_if(all.rbegin(), all.rend(),
                                  [time](const auto& image) { return image.time == time; });
  return found == all.rend() ? nullptr : &*found;
}

template <BlockStore Device>
std::string ImageStore<Device>::read_summary(std::uint32_t segment, Block block,
                                             SegmentHeader& header) {
  if (auto error = read_now(layout().offset(segment), block); !error.empty()) return error;
  return why_bad_summary(block, segment, header);
}

template <BlockStore Device>
std::string ImageStore<Device>::read_map(const ImageEntry& image, PageMap& map,
                                         SegmentSet* segments) {
  const auto blocks =
      (std::size_t{image.high_water} + kMapEntriesPerBlock - 1) / kMapEntriesPerBlock;
  if (std::uint64_t{blocks} * kBlockSize > device_.bytes()) return "it is larger than the store";
  map.assign(blocks * kMapEntriesPerBlock, {});
  const AlignedMemory summary(1);
  std::uint32_t crc = 0;
  std::size_t done = 0;
  for (auto segment = image.first_map; done < blocks;) {
    SegmentHeader header;
    if (auto error = read_summary(segment, summary.block(0), header); !error.empty()) return error;
    if (header.kind != SegmentKind::kMap || header.time != image.time || header.count == 0) {
      return "segment " + std::to_string(segment) + " holds no map of it";
    }
    if (segments != nullptr) segments->add(segment);
    const AlignedMemory part(std::min<std::size_t>(header.count, blocks - done));
    const auto offset = layout().offset(segment) + kBlockSize;
    if (auto error = read_now(offset, part.bytes()); !error.empty()) return error;
    crc = crc32c(part.bytes(), crc);
    std::memcpy(map.data() + done * kMapEntriesPerBlock, part.bytes().data(), part.bytes().size());
    done += part.bytes().size() / kBlockSize;
    segment = header.next;
  }
  map.resize(image.high_water);
  if (crc != image.map_crc) return "the checksum is wrong";
  const bool sound = std::all_of(map.begin(), map.end(), [](const auto& entry) {
    return entry.block == 0 || entry.block >= SegmentLayout::kFirstBlock;
  });
  return sound ? "" : "it has a page where the superblocks stand";
}

template <BlockStore Device>
template <class Use, class Wanted>
std::string ImageStore<Device>::read_image(const ImageEntry& image, Use use, Wanted wanted) {
  PageMap map;
  if (auto error = read_map(image, map, nullptr); !error.empty()) return error;
  for (PageIndex page = 0; page < map.size(); ++page) {
    if (!wanted(page)) map[page] = {};
  }
  return read_pages(in_disk_order(map), use);
}

template <BlockStore Device>
template <class Use>
std::string ImageStore<Device>::read_pages(const std::vector<PlacedPage>& pages, Use use) {
  if (may_be_packed()) return read_by_segment(pages, use);
  // Runs of neighbouring blocks are read at once, the next run while this one is looked at.
  struct Run {
    std::size_t first = 0;
    std::size_t count = 0;
    std::uint64_t ticket = 0;
  };
  constexpr std::size_t kBlocks = kDefaultSegmentBlocks;
  std::vector<Run> runs;
  std::size_t longest = 1;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const bool extends = !runs.empty() && runs.back().count < kBlocks &&
                         pages[i].at.block == pages[i - 1].at.block + 1;
    if (!extends) runs.push_back({i, 0, 0});
    longest = std::max(longest, ++runs.back().count);
  }
  const AlignedMemory memory(kBuffers * longest);
  finish_all(device_);
  device_.clear_error();
  const auto room = [&](std::size_t i) {
    return memory.bytes().subspan((i % kBuffers) * longest * kBlockSize);
  };
  const auto start = [&](std::size_t i) {
    auto& run = runs[i];
    const auto offset = std::uint64_t{pages[run.first].at.block} * kBlockSize;
    run.ticket = device_.start_read(offset, room(i).first(run.count * kBlockSize));
  };
  for (std::size_t i = 0; i < std::min<std::size_t>(runs.size(), kBuffers); ++i) start(i);
  std::string error;
  for (std::size_t i = 0; i < runs.size() && error.empty(); ++i) {
    plurix::finish(device_, runs[i].ticket + 1);
    if (device_.error() != BlockError::kNone) error = words_for(device_.error());
    for (std::size_t k = 0; k < runs[i].count && error.empty(); ++k) {
      const auto& placed = pages[runs[i].first + k];
      const ConstBlock block{room(i).data() + k * kBlockSize, kBlockSize};
      error = why_damaged(placed, block);
      if (error.empty()) use(placed.page, block);
    }
    if (i + kBuffers < runs.size() && error.empty()) start(i + kBuffers);
  }
  finish_all(device_);
  return error;
}

template <BlockStore Device>
std::string ImageStore<Device>::why_damaged(const PlacedPage& placed, ConstBlock block) {
  if (crc32c(block) == placed.at.crc32c || mutated("torn_segment_accepted")) return {};
  return "page " + std::to_string(placed.page) + " (block " + std::to_string(placed.at.block) +
         ") is damaged: its checksum is wrong";
}

// ---- stores with compressed segments: a segment is read whole

template <BlockStore Device>
auto ImageStore<Device>::first_segment_of(Neighbours pages) const noexcept -> Neighbours {
  const auto segment = layout().segment_of(pages.front().at.block);
  const auto other = std::find_if(pages.begin(), pages.end(), [&](const auto& placed) {
    return layout().segment_of(placed.at.block) != segment;
  });
  return pages.first(static_cast<std::size_t>(other - pages.begin()));
}

template <BlockStore Device>
std::string ImageStore<Device>::load_segment(std::uint32_t segment, SegmentRoom& room,
                                             Bytes& contents) {
  SegmentHeader header;
  if (auto error = read_summary(segment, room.stored.block(0), header); !error.empty()) {
    return error;
  }
  const auto name = "segment " + std::to_string(segment);
  if (header.count >= layout().blocks) return name + " names too many blocks";
  const auto stored = room.stored.bytes().first(stored_blocks(header) * kBlockSize);
  if (auto error = read_now(layout().offset(segment) + kBlockSize, stored); !error.empty()) {
    return error;
  }
  contents = stored;
  if (header.packed_bytes == 0) return {};
  const auto unpacked = room.unpacked.bytes().first(header.count * kBlockSize);
  const auto unpack = options_.compression.unpack;
  if (unpack == nullptr) return name + " is compressed, and this program was built without zstd";
  if (!unpack(stored.first(header.packed_bytes), unpacked)) {
    return name + " is damaged: what was compressed does not come back";
  }
  contents = unpacked;
  return {};
}

template <BlockStore Device>
template <class Use>
std::string ImageStore<Device>::read_segment(Neighbours pages, SegmentRoom& room, Use use) {
  const auto segment = layout().segment_of(pages.front().at.block);
  Bytes contents;
  if (auto error = load_segment(segment, room, contents); !error.empty()) return error;
  for (const auto& placed : pages) {
    const auto block = placed.at.block - layout().first_block(segment);
    if (block == 0 || block * kBlockSize > contents.size()) {
      return "segment " + std::to_string(segment) + " does not hold page " +
             std::to_string(placed.page);
    }
    const ConstBlock found{contents.data() + (block - 1) * kBlockSize, kBlockSize};
    if (auto error = why_damaged(placed, found); !error.empty()) return error;
    use(placed.page, found);
  }
  return {};
}

template <BlockStore Device>
template <class Use>
std::string ImageStore<Device>::read_by_segment(Neighbours pages, Use use) {
  SegmentRoom room(layout().blocks);
  while (!pages.empty()) {
    const auto together = first_segment_of(pages);
    if (auto error = read_segment(together, room, use); !error.empty()) return error;
    pages = pages.subspan(together.size());
  }
  return {};
}

template <BlockStore Device>
std::string ImageStore<Device>::measure(const ImageEntry& image, std::uint64_t& bytes) {
  PageMap map;
  SegmentSet needs;
  if (auto error = read_map(image, map, &needs); !error.empty()) return error;
  needs.add(segments_of(map, layout(), end_block()));
  const AlignedMemory summary(1);
  bytes = 0;
  for (std::uint32_t segment = 0; segment < needs.limit(); ++segment) {
    SegmentHeader header;
    if (!needs.has(segment)) continue;
    if (auto error = read_summary(segment, summary.block(0), header); !error.empty()) return error;
    bytes += (1 + std::uint64_t{stored_blocks(header)}) * kBlockSize;
  }
  return {};
}

template <BlockStore Device>
std::string ImageStore<Device>::verify(const ImageEntry& image) {
  PageMap map;
  if (auto error = read_map(image, map, nullptr); !error.empty()) return error;
  const auto pages = in_disk_order(map);
  const AlignedMemory summary(1);
  SegmentHeader header;
  auto known = kNoSegment;
  for (const auto& placed : pages) {
    const auto segment = layout().segment_of(placed.at.block);
    if (segment != known) {
      if (auto error = read_summary(segment, summary.block(0), header); !error.empty())
        return error;
      known = segment;
    }
    const auto i = placed.at.block - layout().first_block(segment) - 1;
    const bool named = i < header.count && summary_entry(summary.block(0), i).item == placed.page;
    if (!named || header.kind != SegmentKind::kPages) {
      return "segment " + std::to_string(segment) + " does not hold page " +
             std::to_string(placed.page);
    }
  }
  return read_pages(pages, [](PageIndex, ConstBlock) {});
}

}  // namespace plurix::checkpoint

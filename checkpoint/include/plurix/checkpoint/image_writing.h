// Bodies of ImageStore: taking images.
#pragma once

#include <plurix/checkpoint/image_store.h>

namespace plurix::checkpoint {

// ---- superblocks

template <BlockStore Device>
void ImageStore<Device>::set_current(Superblock next, int place) {
  current_ = std::move(next);
  place_ = place;
  in_use_ = needed_before_;
  for (const auto& needs : needs_) in_use_.add(needs);
}

template <BlockStore Device>
std::string ImageStore<Device>::write_superblock_now(Superblock next) {
  PLURIX_ASSERT(idle());
  next.sequence = current_.sequence + 1;
  const int place = 1 - place_;
  write_superblock(next, superblock_memory_.block(0));
  finish_all(device_);
  device_.clear_error();
  settled_ = false;
  const auto written = device_.start_write(kSuperblockOffset[place], superblock_memory_.block(0));
  plurix::finish(device_, written + 1);
  plurix::finish(device_, device_.start_flush() + 1);
  if (device_.error() != BlockError::kNone) return words_for(device_.error());
  settled_ = true;
  set_current(std::move(next), place);
  return {};
}

template <BlockStore Device>
std::string ImageStore<Device>::set_identity(const Identity& identity) {
  auto next = current_;
  next.identity = identity;
  return write_superblock_now(std::move(next));
}

template <BlockStore Device>
std::string ImageStore<Device>::settle() {
  if (settled_) return {};
  return write_superblock_now(current_);
}

template <BlockStore Device>
std::string ImageStore<Device>::promote(std::uint64_t time) {
  const auto* found = find(time);
  if (found == nullptr) return "there is no image of commit time " + std::to_string(time);
  const auto at = static_cast<std::ptrdiff_t>(found - current_.images.data());
  if (auto error = load_map(*found, map_); !error.empty()) return error;
  auto next = current_;
  std::rotate(next.images.begin() + at, next.images.begin() + at + 1, next.images.end());
  std::rotate(needs_.begin() + at, needs_.begin() + at + 1, needs_.end());
  return write_superblock_now(std::move(next));
}

// ---- segments

template <BlockStore Device>
std::uint32_t ImageStore<Device>::allocate() {
  auto taken = in_use_;
  taken.add(fresh_);
  const auto segment = taken.first_free();
  fresh_.add(segment);
  return segment;
}

template <BlockStore Device>
void ImageStore<Device>::next_segment(SegmentKind kind) {
  if (builders_.empty()) {
    for (std::uint32_t i = 0; i < kBuffers; ++i) {
      memory_.emplace_back(layout().blocks);
      builders_.emplace_back(memory_.back().bytes());
      if constexpr (requires { device_.use_memory(memory_.back().bytes()); }) {
        device_.use_memory(memory_.back().bytes());
      }
    }
  }
  turn_ = (turn_ + 1) % kBuffers;
  plurix::finish(device_, written_before_[turn_]);
  SegmentHeader header;
  header.kind = kind;
  header.segment = allocate();
  header.time = taking_.time;
  header.cluster = current_.identity.cluster;
  header.sequence = current_.sequence + 1;
  header.epoch = taking_.epoch;
  builder().begin(header);
  filling_ = true;
  const auto end = layout().offset(header.segment) + std::uint64_t{layout().blocks} * kBlockSize;
  if (end > options_.max_bytes) fail("the store has reached the size it may have");
}

template <BlockStore Device>
void ImageStore<Device>::write_segment() {
  if (options_.compression.packs()) {
    packing_room_.resize(std::size_t{layout().blocks} * kBlockSize);
    builder().pack(options_.compression, packing_room_);
  }
  const auto bytes = builder().seal();
  const auto ticket = device_.start_write(layout().offset(builder().segment()), bytes);
  written_before_[turn_] = ticket + 1;
  filling_ = false;
}

// ---- an image

template <BlockStore Device>
void ImageStore<Device>::begin(CommitTime time, Epoch epoch, PageIndex high_water) {
  PLURIX_ASSERT(idle());
  device_.clear_error();
  error_.clear();
  taking_ = {};
  taking_.time = time.value;
  taking_.previous = newest() == nullptr ? 0 : newest()->time;
  taking_.sequence = current_.sequence + 1;
  taking_.epoch = epoch;
  taking_.high_water = high_water;
  next_map_ = map_;
  next_map_.resize(high_water);
  fresh_ = {};
  filling_ = false;
  cleaning_ = false;
  phase_ = Phase::kWriting;
}

template <BlockStore Device>
void ImageStore<Device>::put(PageIndex page, ConstBlock contents) {
  if (phase_ != Phase::kWriting) return;  // it has failed
  PLURIX_ASSERT(page < next_map_.size());
  if (!filling_) next_segment(SegmentKind::kPages);
  if (phase_ != Phase::kWriting) return;
  const auto block = builder().next_block();
  std::memcpy(block.data(), contents.data(), kBlockSize);
  const auto number = layout().first_block(builder().segment()) + 1 + builder().count();
  next_map_[page] = {number, builder().add(page)};
  ++taking_.pages_written;
  if (builder().full()) write_segment();
  if (device_.error() != BlockError::kNone) fail(words_for(device_.error()));
}

template <BlockStore Device>
bool ImageStore<Device>::has_room() const noexcept {
  std::uint32_t free = 0;
  for (std::uint32_t i = 0; i < kBuffers; ++i) {
    const bool in_use = filling_ && i == turn_;
    if (!in_use && written_before_[i] <= device_.finished()) ++free;
  }
  return free >= 2;
}

template <BlockStore Device>
void ImageStore<Device>::choose_moved() {
  const auto room = filling_ ? builder().room() : 0;
  const auto budget = std::max<std::size_t>(room, taking_.pages_written / 2);
  moved_ = worth_moving(next_map_, layout(), end_block(), fresh_, budget);
  moved_so_far_ = 0;
  cleaning_ = true;
}

template <BlockStore Device>
bool ImageStore<Device>::clean() {
  constexpr std::size_t kAtOnce = 64;
  if (phase_ != Phase::kWriting) return false;
  if (!cleaning_) choose_moved();
  const auto rest = std::span{moved_}.subspan(moved_so_far_);
  if (rest.empty()) return false;
  const auto now = rest.first(std::min(kAtOnce, rest.size()));
  const auto pages_written = taking_.pages_written;
  move_some(now);
  taking_.pages_written = pages_written;
  moved_so_far_ += now.size();
  return true;
}

template <BlockStore Device>
void ImageStore<Device>::move_some(std::span<const PlacedPage> pages) {
  // Nothing else is on its way while they are read: what fails then is a read.
  finish_all(device_);
  if (phase_ != Phase::kWriting || device_failed()) return;
  const AlignedMemory copies(pages.size());
  may_be_packed() ? copy_packed(pages, copies) : copy_plain(pages, copies);
  // A page that cannot be read stays where it is: another image may still be good.
  device_.clear_error();
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (crc32c(copies.block(i)) == pages[i].at.crc32c) put(pages[i].page, copies.block(i));
  }
}

template <BlockStore Device>
void ImageStore<Device>::copy_plain(Neighbours pages, const AlignedMemory& copies) {
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto offset = std::uint64_t{pages[i].at.block} * kBlockSize;
    (void)device_.start_read(offset, copies.block(i));
  }
  finish_all(device_);
}

template <BlockStore Device>
void ImageStore<Device>::copy_packed(Neighbours pages, const AlignedMemory& copies) {
  SegmentRoom room(layout().blocks);
  for (std::size_t done = 0; done < pages.size();) {
    const auto together = first_segment_of(pages.subspan(done));
    auto next = done;
    (void)read_segment(together, room, [&](PageIndex, ConstBlock block) {
      std::memcpy(copies.block(next++).data(), block.data(), kBlockSize);
    });
    done += together.size();
  }
}

template <BlockStore Device>
void ImageStore<Device>::write_map(std::uint32_t& first, std::uint32_t& crc) {
  const std::size_t blocks = (next_map_.size() + kMapEntriesPerBlock - 1) / kMapEntriesPerBlock;
  first = kNoSegment;
  crc = 0;
  for (std::size_t i = 0; i < blocks && phase_ == Phase::kWriting; ++i) {
    if (!filling_) next_segment(SegmentKind::kMap);
    if (phase_ != Phase::kWriting) return;
    if (first == kNoSegment) first = builder().segment();
    const auto block = builder().next_block();
    const auto begin = i * kMapEntriesPerBlock;
    const auto count = std::min<std::size_t>(kMapEntriesPerBlock, next_map_.size() - begin);
    std::memset(block.data(), 0, block.size());
    std::memcpy(block.data(), next_map_.data() + begin, count * sizeof(MapEntry));
    crc = crc32c(block, crc);
    (void)builder().add(static_cast<std::uint32_t>(i));
    const bool last = i + 1 == blocks;
    if (!builder().full() && !last) continue;
    if (!last) {
      auto taken = in_use_;
      taken.add(fresh_);
      builder().set_next(taken.first_free());  // what `allocate` gives next
    }
    write_segment();
  }
}

template <BlockStore Device>
void ImageStore<Device>::finish(const ImageEntry& about) {
  if (phase_ != Phase::kWriting) return;
  while (clean()) {
  }
  if (phase_ == Phase::kWriting && filling_) write_segment();
  write_map(taking_.first_map, taking_.map_crc);
  if (phase_ != Phase::kWriting) return;
  taking_.pages_known = about.pages_known;
  taking_.pages_snooped = about.pages_snooped;
  taking_.duration_us = about.duration_us;
  taking_.taken_unix_ns = about.taken_unix_ns;
  phase_ = Phase::kSegmentsUnderWay;
  awaited_ = device_.started();
  if (mutated("superblock_before_segment")) start_superblock();
}

template <BlockStore Device>
void ImageStore<Device>::start_superblock() {
  next_ = current_;
  next_.sequence = current_.sequence + 1;
  if (options_.compression.packs()) next_.version = kPackedVersion;
  next_.images.push_back(taking_);
  const auto keep = std::size_t{options_.keep_images};
  if (next_.images.size() > keep) {
    const auto dropped = static_cast<std::ptrdiff_t>(next_.images.size() - keep);
    next_.images.erase(next_.images.begin(), next_.images.begin() + dropped);
  }
  write_superblock(next_, superblock_memory_.block(0));
  awaited_ = device_.start_write(kSuperblockOffset[1 - place_], superblock_memory_.block(0)) + 1;
  phase_ = Phase::kSuperblockUnderWay;
}

template <BlockStore Device>
bool ImageStore<Device>::poll() {
  device_.poll();
  while (phase_ > Phase::kWriting && device_.finished() >= awaited_) {
    if (device_failed()) return false;
    switch (phase_) {
      case Phase::kSegmentsUnderWay:
        phase_ = Phase::kFlushingSegments;
        if (!mutated("no_flush_before_superblock")) awaited_ = device_.start_flush() + 1;
        break;
      case Phase::kFlushingSegments:
        start_superblock();
        break;
      case Phase::kSuperblockUnderWay:
        phase_ = Phase::kFlushingSuperblock;
        awaited_ = device_.start_flush() + 1;
        break;
      default: {
        needed_before_ = {};
        for (const auto& needs : needs_) needed_before_.add(needs);
        if (mutated("cleaner_removes_live_page")) needed_before_ = {};
        auto needs = segments_of(next_map_, layout(), end_block());
        if (!mutated("cleaner_removes_live_page")) needs.add(fresh_);
        needs_.push_back(std::move(needs));
        while (needs_.size() > next_.images.size()) needs_.erase(needs_.begin());
        map_ = std::move(next_map_);
        settled_ = true;
        set_current(std::move(next_), 1 - place_);
        phase_ = Phase::kIdle;
        return true;
      }
    }
  }
  return false;
}

template <BlockStore Device>
bool ImageStore<Device>::device_failed() {
  if (device_.error() == BlockError::kNone) return false;
  fail(words_for(device_.error()));
  return true;
}

template <BlockStore Device>
void ImageStore<Device>::abandon() {
  if (!idle()) fail("the image was given up");
}

template <BlockStore Device>
void ImageStore<Device>::fail(std::string words) {
  // The superblock may be on the disk or not. Both are good, but which one counts must be known
  // before a segment of the image is written again: so the next superblock goes to the same place,
  // and until it is durable the segments stay taken.
  const bool may_be_durable = phase_ >= Phase::kSuperblockUnderWay;
  finish_all(device_);
  device_.clear_error();
  error_ = std::move(words);
  filling_ = false;
  phase_ = Phase::kIdle;
  if (may_be_durable) needed_before_.add(fresh_);
  if (may_be_durable && !mutated("undone_image_comes_back")) settled_ = false;
  set_current(std::move(current_), place_);
}

}  // namespace plurix::checkpoint

#include <plurix/base/assert.h>
#include <plurix/base/crc32c.h>
#include <plurix/checkpoint/segment.h>

#include <cstring>
#include <new>

namespace plurix::checkpoint {

AlignedMemory::AlignedMemory(std::size_t blocks)
    : size_(blocks * kBlockSize),
      memory_(static_cast<std::byte*>(std::aligned_alloc(kBlockSize, size_))) {
  if (memory_ == nullptr) throw std::bad_alloc();
  std::memset(memory_.get(), 0, size_);
}

void SegmentBuilder::begin(const SegmentHeader& header) noexcept {
  header_ = header;
  header_.count = 0;
  std::memset(memory_.data(), 0, kBlockSize);
}

Block SegmentBuilder::next_block() const noexcept {
  PLURIX_ASSERT(!full());
  return Block{memory_.data() + std::size_t{1 + header_.count} * kBlockSize, kBlockSize};
}

std::uint32_t SegmentBuilder::add(std::uint32_t item) noexcept {
  const SummaryEntry entry{item, crc32c(next_block())};
  std::memcpy(memory_.data() + sizeof(SegmentHeader) + header_.count * sizeof entry, &entry,
              sizeof entry);
  ++header_.count;
  return entry.crc32c;
}

void SegmentBuilder::pack(const Compression& how, std::span<std::byte> room) noexcept {
  if (header_.kind != SegmentKind::kPages || header_.count < 2) return;
  const auto pages = memory_.subspan(kBlockSize, std::size_t{header_.count} * kBlockSize);
  const auto used = how.pack(pages, room.first(pages.size() - kBlockSize), how.level);
  if (used == 0) return;
  header_.version = kPackedVersion;
  header_.packed_bytes = static_cast<std::uint32_t>(used);
  std::memset(pages.data(), 0, std::size_t{stored_blocks(header_)} * kBlockSize);
  std::memcpy(pages.data(), room.data(), used);
}

Bytes SegmentBuilder::seal() noexcept {
  std::memcpy(memory_.data(), &header_, sizeof header_);
  header_.crc32c = crc32c(Bytes{memory_}.first(kBlockSize).subspan(sizeof header_.crc32c));
  std::memcpy(memory_.data(), &header_.crc32c, sizeof header_.crc32c);
  return Bytes{memory_}.first(std::size_t{1 + stored_blocks(header_)} * kBlockSize);
}

std::string why_bad_summary(ConstBlock block, std::uint32_t segment, SegmentHeader& header) {
  std::memcpy(&header, block.data(), sizeof header);
  const auto name = "segment " + std::to_string(segment);
  if (header.magic != kSegmentMagic) return name + " is none";
  if (header.crc32c != crc32c(block.subspan(sizeof header.crc32c))) {
    return name + ": the summary's checksum is wrong";
  }
  if (header.version != (header.packed_bytes == 0 ? kStoreVersion : kPackedVersion)) {
    return name + " is of version " + std::to_string(header.version);
  }
  if (header.segment != segment) return name + " is segment " + std::to_string(header.segment);
  if (header.count >= kMaxSegmentBlocks) return name + " names too many blocks";
  if (header.packed_bytes > std::size_t{header.count} * kBlockSize) {
    return name + " is larger than what it was made of";
  }
  return {};
}

std::uint32_t stored_blocks(const SegmentHeader& header) noexcept {
  if (header.packed_bytes == 0) return header.count;
  return static_cast<std::uint32_t>((header.packed_bytes + kBlockSize - 1) / kBlockSize);
}

SummaryEntry summary_entry(ConstBlock block, std::uint32_t i) noexcept {
  SummaryEntry entry;
  std::memcpy(&entry, block.data() + sizeof(SegmentHeader) + i * sizeof entry, sizeof entry);
  return entry;
}

}  // namespace plurix::checkpoint

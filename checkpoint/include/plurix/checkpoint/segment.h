// A segment in memory: the summary block and the blocks behind it, filled front to back, and
// checked when it is read. Also the memory for it, aligned as block stores want it.
#pragma once

#include <plurix/checkpoint/compression.h>
#include <plurix/checkpoint/superblock.h>

#include <cstdlib>
#include <memory>

namespace plurix::checkpoint {

/// Zeroed memory at a block boundary.
class AlignedMemory {
 public:
  /// Throws std::bad_alloc.
  explicit AlignedMemory(std::size_t blocks);
  std::span<std::byte> bytes() const noexcept { return {memory_.get(), size_}; }
  Block block(std::size_t i) const noexcept {
    return Block{memory_.get() + i * kBlockSize, kBlockSize};
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> memory_;
};

/// Fills one segment. The memory stays its owner's and may be written out when `seal` has returned.
class SegmentBuilder {
 public:
  explicit SegmentBuilder(std::span<std::byte> memory) noexcept : memory_(memory) {}

  void begin(const SegmentHeader& header) noexcept;
  bool full() const noexcept { return 1 + header_.count == memory_.size() / kBlockSize; }
  bool empty() const noexcept { return header_.count == 0; }
  std::uint32_t room() const noexcept {
    return static_cast<std::uint32_t>(memory_.size() / kBlockSize) - 1 - header_.count;
  }

  /// Where the next block is to be put; `add` then counts it in.
  Block next_block() const noexcept;
  /// Returns the block's checksum.
  std::uint32_t add(std::uint32_t item) noexcept;

  void set_next(std::uint32_t segment) noexcept { header_.next = segment; }
  std::uint32_t segment() const noexcept { return header_.segment; }
  std::uint32_t count() const noexcept { return header_.count; }

  /// Compresses the pages of a filled segment, if that saves a block. `room` is as large as the
  /// segment.
  void pack(const Compression& how, std::span<std::byte> room) noexcept;

  /// Completes the summary. Returns the bytes to be written.
  Bytes seal() noexcept;

 private:
  std::span<std::byte> memory_;
  SegmentHeader header_;
};

/// Words that say what is wrong with a summary block, or nothing.
std::string why_bad_summary(ConstBlock block, std::uint32_t segment, SegmentHeader& header);

/// Blocks behind the summary that hold what it names.
std::uint32_t stored_blocks(const SegmentHeader& header) noexcept;

/// The i-th entry of a summary that was found good.
SummaryEntry summary_entry(ConstBlock block, std::uint32_t i) noexcept;

}  // namespace plurix::checkpoint

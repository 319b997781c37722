#include <plurix/base/assert.h>
#include <plurix/sim/memory_block_store.h>

#include <algorithm>
#include <cstring>

namespace plurix::sim {
namespace {

void put(DiskImage& disk, std::uint64_t offset, Bytes bytes) {
  if (disk.size() < offset + bytes.size()) disk.resize(offset + bytes.size());
  std::memcpy(disk.data() + offset, bytes.data(), bytes.size());
}

void put_some_sectors(DiskImage& disk, const DiskEvent& write, Prng& prng) {
  for (std::size_t i = 0; i < write.sectors(); ++i) {
    if (!prng.chance(500'000)) continue;
    put(disk, write.offset + i * kSectorSize,
        Bytes{write.bytes}.subspan(i * kSectorSize, kSectorSize));
  }
}

}  // namespace

DiskImage disk_after_crash(const DiskImage& before, const DiskJournal& journal, std::size_t cut,
                           std::size_t sectors, Unflushed unflushed, Prng& prng) {
  auto disk = before;
  for (std::size_t i = 0; i < cut; ++i) {
    const auto& event = journal[i];
    if (event.flush) continue;
    const bool durable = event.durable_at < cut;
    if (durable || unflushed == Unflushed::kKept) {
      put(disk, event.offset, event.bytes);
    } else if (unflushed == Unflushed::kTorn) {
      put_some_sectors(disk, event, prng);
    }
  }
  if (cut < journal.size() && sectors > 0) {
    put(disk, journal[cut].offset, Bytes{journal[cut].bytes}.first(sectors * kSectorSize));
  }
  return disk;
}

bool MemoryBlockStore::fails() noexcept {
  const bool failing = started_ >= failing_from_ && started_ < failing_until_;
  if (!failing || failure_ == BlockError::kNone) return false;
  if (error_ == BlockError::kNone) error_ = failure_;
  ++started_;
  return true;
}

void MemoryBlockStore::begin(Operation operation) noexcept {
  operation.number = started_++;
  pending_.push_back(std::move(operation));
  if (!lazy_) finish(pending_.size() - 1);
}

std::uint64_t MemoryBlockStore::start_read(std::uint64_t offset,
                                           std::span<std::byte> out) noexcept {
  PLURIX_ASSERT(offset % kBlockSize == 0 && out.size() % kBlockSize == 0);
  const auto number = started_;
  if (fails()) return number;
  if (offset + out.size() > disk_.size()) {
    if (error_ == BlockError::kNone) error_ = BlockError::kBeyond;
    ++started_;
    return number;
  }
  begin({Operation::Kind::kRead, 0, offset, out, 0, {}, {}});
  return number;
}

std::uint64_t MemoryBlockStore::start_write(std::uint64_t offset, Bytes bytes) noexcept {
  PLURIX_ASSERT(offset % kBlockSize == 0 && bytes.size() % kBlockSize == 0);
  const auto number = started_;
  if (fails()) {
    if (lazy_) write_in_part(offset, bytes);
    return number;
  }
  if (offset + bytes.size() > capacity_) {
    if (error_ == BlockError::kNone) error_ = BlockError::kFull;
    ++started_;
    return number;
  }
  if (!journaling_) start_journal();
  journal_.push_back({false, offset, {bytes.begin(), bytes.end()}, ~std::size_t{0}});
  begin({Operation::Kind::kWrite, 0, offset, {}, journal_.size() - 1, {}, bytes});
  return number;
}

void MemoryBlockStore::write_in_part(std::uint64_t offset, Bytes bytes) {
  // A device that reports a failure may have written all the same: wholly, in part, or nothing.
  if (!journaling_) start_journal();
  for (std::size_t at = 0; at < bytes.size(); at += kSectorSize) {
    if (prng_.chance(300'000)) break;
    const auto sector = bytes.subspan(at, kSectorSize);
    journal_.push_back({false, offset + at, {sector.begin(), sector.end()}, ~std::size_t{0}});
    put(disk_, offset + at, sector);
    unflushed_.push_back(journal_.size() - 1);
  }
}

std::uint64_t MemoryBlockStore::start_flush() noexcept {
  const auto number = started_;
  if (fails()) return number;
  begin({Operation::Kind::kFlush, 0, 0, {}, 0, unflushed_, {}});
  return number;
}

void MemoryBlockStore::finish(std::size_t i) noexcept {
  const auto operation = std::move(pending_[i]);
  pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
  switch (operation.kind) {
    case Operation::Kind::kRead:
      std::memcpy(operation.out.data(), disk_.data() + operation.offset, operation.out.size());
      break;
    case Operation::Kind::kWrite:
      // A device takes the bytes when it likes: whoever changed them meanwhile sees it here.
      journal_[operation.event].bytes.assign(operation.bytes.begin(), operation.bytes.end());
      put(disk_, operation.offset, operation.bytes);
      unflushed_.push_back(operation.event);
      break;
    case Operation::Kind::kFlush:
      for (const auto write : operation.covered) {
        journal_[write].durable_at = journal_.size();
        std::erase(unflushed_, write);
      }
      journal_.push_back({.flush = true});
      break;
  }
}

void MemoryBlockStore::poll() noexcept {
  for (std::size_t i = pending_.size(); i > 0; --i) {
    if (prng_.chance(300'000)) finish(i - 1);
  }
}

void MemoryBlockStore::wait() noexcept {
  if (!pending_.empty()) finish(static_cast<std::size_t>(prng_.below(pending_.size())));
}

std::uint64_t MemoryBlockStore::finished() const noexcept {
  auto oldest = started_;
  for (const auto& operation : pending_) oldest = std::min(oldest, operation.number);
  return oldest;
}

void MemoryBlockStore::crash() noexcept {
  if (journaling_) {
    disk_ = disk_after_crash(before_, journal_, journal_.size(), 0, Unflushed::kTorn, prng_);
  }
  pending_.clear();
  unflushed_.clear();
  start_journal();
}

}  // namespace plurix::sim

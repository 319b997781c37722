// MemoryBlockStore: a disk in memory that treats what was not flushed as badly as a disk may.
//
// Operations finish in an order drawn from its seed. It keeps a journal of what was written and
// when it became durable; from that, `disk_after_crash` makes the disk as it may look after a crash
// at any sector of any write: what was not flushed is kept, lost, or torn sector by sector.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/block_store.h>

#include <cstddef>
#include <vector>

namespace plurix::sim {

/// A write that was started, or a flush that has finished.
struct DiskEvent {
  bool flush = false;
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes;
  std::size_t durable_at = ~std::size_t{0};  ///< of a write: the event that made it durable

  std::size_t sectors() const noexcept { return bytes.size() / kSectorSize; }
};
using DiskJournal = std::vector<DiskEvent>;
using DiskImage = std::vector<std::byte>;

/// What happens to writes that no flush had made durable.
enum class Unflushed : std::uint8_t { kKept, kLost, kTorn };

/// The disk, which was `before` when the journal began, after a crash when `sectors` of the event
/// `cut` had been written.
DiskImage disk_after_crash(const DiskImage& before, const DiskJournal& journal, std::size_t cut,
                           std::size_t sectors, Unflushed unflushed, Prng& prng);

class MemoryBlockStore {
 public:
  /// `seed` 0: operations finish at once.
  explicit MemoryBlockStore(std::uint64_t seed = 0, DiskImage contents = {})
      : prng_(seed), lazy_(seed != 0), disk_(std::move(contents)) {}

  std::uint64_t start_read(std::uint64_t offset, std::span<std::byte> out) noexcept;
  std::uint64_t start_write(std::uint64_t offset, Bytes bytes) noexcept;
  std::uint64_t start_flush() noexcept;
  void poll() noexcept;
  void wait() noexcept;
  std::uint64_t started() const noexcept { return started_; }
  std::uint64_t finished() const noexcept;
  BlockError error() const noexcept { return error_; }
  void clear_error() noexcept { error_ = BlockError::kNone; }
  std::uint64_t bytes() const noexcept { return disk_.size(); }

  // ---- what can go wrong

  /// Writes behind this size find no space.
  void set_capacity(std::uint64_t bytes) noexcept { capacity_ = bytes; }
  /// Every operation from the n-th from now on fails with `error`; kNone: no more.
  void fail_after(std::uint64_t operations, BlockError error) noexcept {
    failing_from_ = started_ + operations;
    failing_until_ = ~std::uint64_t{0};
    failure_ = error;
  }
  /// The next operations fail; of the writes among them some reach the disk, or a part of them.
  void fail_next(std::uint64_t operations, BlockError error) noexcept {
    fail_after(0, error);
    failing_until_ = started_ + operations;
  }
  void flip_bit(std::uint64_t offset, unsigned bit) noexcept {
    disk_[offset] ^= std::byte(1U << bit);
  }
  /// The power goes: what is not durable is kept, lost or torn as the seed wants. Operations in
  /// flight are over.
  void crash() noexcept;

  /// Remembers what is written from now on.
  void start_journal() {
    journal_.clear();
    journaling_ = true;
    before_ = disk_;
  }
  const DiskJournal& journal() const noexcept { return journal_; }
  const DiskImage& contents() const noexcept { return disk_; }

 private:
  struct Operation {
    enum class Kind : std::uint8_t { kRead, kWrite, kFlush } kind;
    std::uint64_t number;
    std::uint64_t offset;
    std::span<std::byte> out;
    std::size_t event;                 ///< of a write, in the journal
    std::vector<std::size_t> covered;  ///< by a flush
    Bytes bytes;
  };

  bool fails() noexcept;
  void write_in_part(std::uint64_t offset, Bytes bytes);
  void begin(Operation operation) noexcept;
  void finish(std::size_t i) noexcept;

  Prng prng_;
  bool lazy_;
  DiskImage disk_;
  DiskImage before_;
  std::vector<Operation> pending_;
  std::vector<std::size_t> unflushed_;  ///< finished writes that no flush covers yet
  DiskJournal journal_;
  bool journaling_ = false;
  std::uint64_t started_ = 0;
  std::uint64_t capacity_ = ~std::uint64_t{0};
  std::uint64_t failing_from_ = ~std::uint64_t{0};
  std::uint64_t failing_until_ = ~std::uint64_t{0};
  BlockError failure_ = BlockError::kNone;
  BlockError error_ = BlockError::kNone;
};
static_assert(BlockStore<MemoryBlockStore>);

}  // namespace plurix::sim

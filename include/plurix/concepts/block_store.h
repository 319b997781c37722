// BlockStore: a row of blocks that outlives the process. Models: a file through io_uring, memory
// that loses, reorders and tears what was not flushed; later a disk without an operating system.
//
// Operations are started, each with the next number, and finish later, in any order. What they
// promise each other:
// - A read that is started after a write has finished sees what was written.
// - A flush finishes when every write that had finished before it was started is durable; a write
//   that no flush covers may be there after a crash wholly, in part (torn between sectors) or not.
#pragma once

#include <plurix/concepts/transport.h>

#include <concepts>
#include <cstdint>
#include <span>

namespace plurix {

/// Offsets, lengths and the addresses of the bytes are multiples of this.
inline constexpr std::size_t kBlockSize = 4096;

/// The unit in which a device writes at once: a torn write is torn at a multiple of it.
inline constexpr std::size_t kSectorSize = 512;

enum class BlockError : std::uint8_t {
  kNone,
  kFull,      ///< no space left
  kReadOnly,  ///< the store may only be read
  kBeyond,    ///< a read reaches behind the end
  kDevice,    ///< the device failed
};

/// The bytes belong to the store until the operation has finished.
template <class S>
concept ReadsBlocks = requires(S& s, std::uint64_t offset, std::span<std::byte> out) {
  { s.start_read(offset, out) } noexcept -> std::same_as<std::uint64_t>;
};

/// A write behind the end makes the store longer.
template <class S>
concept WritesBlocks = requires(S& s, std::uint64_t offset, Bytes bytes) {
  { s.start_write(offset, bytes) } noexcept -> std::same_as<std::uint64_t>;
  { s.start_flush() } noexcept -> std::same_as<std::uint64_t>;
};

/// `poll` takes in what has finished; `wait` first waits until something has, if anything is in
/// flight. `started` is the number that the next operation gets (the first gets 0); every operation
/// with a number below `finished` has finished.
template <class S>
concept FinishesOperations = requires(S& s) {
  { s.poll() } noexcept;
  { s.wait() } noexcept;
  { s.started() } noexcept -> std::same_as<std::uint64_t>;
  { s.finished() } noexcept -> std::same_as<std::uint64_t>;
};

/// The first error since `clear_error`. Nothing throws, and later operations are tried all the
/// same.
template <class S>
concept TellsErrors = requires(S& s) {
  { s.error() } noexcept -> std::same_as<BlockError>;
  { s.clear_error() } noexcept;
};

/// `bytes`: where the store ends.
template <class S>
concept BlockStore = ReadsBlocks<S> && WritesBlocks<S> && FinishesOperations<S> && TellsErrors<S> &&
                     requires(const S& s) {
                       { s.bytes() } noexcept -> std::same_as<std::uint64_t>;
                     };

/// Waits until every operation with a number below `number` has finished.
template <BlockStore S>
void finish(S& store, std::uint64_t number) noexcept {
  for (store.poll(); store.finished() < number;) store.wait();
}

template <BlockStore S>
void finish_all(S& store) noexcept {
  finish(store, store.started());
}

}  // namespace plurix

// A heap that is only memory: the frames of a node that is gone, or what a checkpoint has brought
// back. It is read like a live one, by a transaction that reads this memory and nothing else, so
// that the verifier, and whoever looks at objects, works on both.
#pragma once

#include <plurix/heap/verify.h>
#include <plurix/transaction.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace plurix {

/// Reads an image; a write stops the process.
class HeapImage {
 public:
  /// Stamps for an image of so many pages.
  static constexpr std::size_t stamps_needed(std::size_t pages) noexcept { return 2 * pages; }

  /// `frames` is the whole heap, in whole pages; `stamps`, of stamps_needed(), are overwritten.
  /// Both outlive the image.
  HeapImage(std::span<const std::byte> frames, std::span<std::uint64_t> stamps) noexcept;
  HeapImage(const HeapImage&) = delete;
  HeapImage& operator=(const HeapImage&) = delete;

  Transaction& transaction() noexcept { return transaction_; }

  /// As verify_heap does for a live heap. An image that is no heap at all has one finding.
  HeapReport verify();

 private:
  std::uint64_t bytes_;
  std::atomic<std::uint64_t> live_stamp_ = 1;
  Transaction transaction_;
};

}  // namespace plurix

// Allocators of others to compare with, where they are installed.
#pragma once

#include <cstddef>

namespace plurix::bench {

/// Whether the allocator is here; the functions below do nothing useful where it is not.
bool has_mimalloc();
void* mimalloc_allocate(std::size_t bytes);
void mimalloc_free(void* block);

/// A pool of libpmemobj in memory, without flushing to a device.
class PmemPool {
 public:
  PmemPool();
  ~PmemPool();
  PmemPool(const PmemPool&) = delete;
  PmemPool& operator=(const PmemPool&) = delete;

  /// False where the library is not here or a pool cannot be made.
  bool usable() const { return pool_ != nullptr; }

  /// Allocates `count` objects in one transaction: nanoseconds each. They are freed again, so that
  /// the pool is warm the next time.
  double allocate(int count, std::size_t bytes);

  /// Frees `count` objects in transactions of 1,000: nanoseconds each.
  double free_in_transactions(int count, std::size_t bytes);

  /// Makes objects with one reference each, frees most of them at random and lets the library move
  /// the rest together: nanoseconds for each that it moved, 0 if it moved none.
  double defragment(int count, std::size_t bytes);

 private:
  void* pool_ = nullptr;
};

}  // namespace plurix::bench

// What every BlockStore promises, as one typed suite. A model joins with a World:
//
//   struct MyWorld {
//     MyStore& store();      // empty at first
//     MyStore& reopen();     // the same store after an orderly end
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(My, BlockStoreSuite, MyWorld);   // in namespace
//   plurix::conformance
//
// What a crash does to writes that were not flushed can only be tried where crashes can be made:
// in the simulator.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/block_store.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace plurix::conformance {

/// Blocks whose memory is aligned as stores want it.
class BlockMemory {
 public:
  explicit BlockMemory(std::size_t blocks)
      : memory_(new(std::align_val_t{kBlockSize}) std::byte[blocks * kBlockSize]{}),
        size_(blocks * kBlockSize) {}

  BlockMemory& fill(std::uint64_t seed) {
    Prng prng(seed);
    for (auto& byte : bytes()) byte = static_cast<std::byte>(prng.next());
    return *this;
  }
  std::span<std::byte> bytes() const noexcept { return {memory_.get(), size_}; }

  friend bool operator==(const BlockMemory& a, const BlockMemory& b) {
    return std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept {
      ::operator delete[](memory, std::align_val_t{kBlockSize});
    }
  };
  std::unique_ptr<std::byte[], Free> memory_;
  std::size_t size_;
};

template <class World>
class BlockStoreSuite : public ::testing::Test {
 protected:
  using Model = std::remove_cvref_t<decltype(std::declval<World&>().store())>;
  static_assert(BlockStore<Model>);

  Model& store() { return world_.store(); }
  Model& reopen() { return world_.reopen(); }

  void write(std::uint64_t block, const BlockMemory& memory) {
    finish(store(), store().start_write(block * kBlockSize, memory.bytes()) + 1);
  }
  BlockMemory read(std::uint64_t block, std::size_t blocks) {
    BlockMemory memory(blocks);
    finish(store(), store().start_read(block * kBlockSize, memory.bytes()) + 1);
    return memory;
  }

 private:
  World world_;
};

TYPED_TEST_SUITE_P(BlockStoreSuite);

TYPED_TEST_P(BlockStoreSuite, IsEmptyAtFirst) {
  EXPECT_EQ(this->store().bytes(), 0U);
  EXPECT_EQ(this->store().started(), this->store().finished());
  EXPECT_EQ(this->store().error(), BlockError::kNone);
}

TYPED_TEST_P(BlockStoreSuite, GivesBackWhatWasWritten) {
  BlockMemory memory(5);
  this->write(3, memory.fill(1));
  EXPECT_EQ(this->store().bytes(), 8 * kBlockSize);
  EXPECT_EQ(this->read(3, 5), memory);
  BlockMemory other(2);
  this->write(4, other.fill(2));
  EXPECT_EQ(this->read(4, 2), other);
  EXPECT_EQ(this->store().error(), BlockError::kNone);
}

TYPED_TEST_P(BlockStoreSuite, NumbersOperationsAndFinishesAll) {
  auto& store = this->store();
  std::vector<BlockMemory> memories;
  for (std::uint64_t i = 0; i < 40; ++i) memories.emplace_back(4).fill(i);
  const auto first = store.started();
  for (std::uint64_t i = 0; i < 40; ++i) {
    EXPECT_EQ(store.start_write(i * 4 * kBlockSize, memories[i].bytes()), first + i);
    EXPECT_EQ(store.started(), first + i + 1);
    EXPECT_LE(store.finished(), store.started());
    store.poll();
  }
  finish_all(store);
  EXPECT_EQ(store.finished(), first + 40);
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_EQ(this->read(i * 4, 4), memories[i]) << i;
}

TYPED_TEST_P(BlockStoreSuite, IsTheSameAfterItWasFlushedAndOpenedAgain) {
  BlockMemory memory(16);
  this->write(0, memory.fill(3));
  auto& store = this->store();
  finish(store, store.start_flush() + 1);
  EXPECT_EQ(store.error(), BlockError::kNone);
  auto& again = this->reopen();
  EXPECT_EQ(again.bytes(), 16 * kBlockSize);
  EXPECT_EQ(this->read(0, 16), memory);
}

TYPED_TEST_P(BlockStoreSuite, SaysThatAReadReachesBehindTheEnd) {
  BlockMemory memory(1);
  this->write(0, memory.fill(4));
  (void)this->read(0, 2);
  EXPECT_EQ(this->store().error(), BlockError::kBeyond);
  this->store().clear_error();
  EXPECT_EQ(this->read(0, 1), memory);
  EXPECT_EQ(this->store().error(), BlockError::kNone);
}

TYPED_TEST_P(BlockStoreSuite, WaitsForNothingWhenNothingIsInFlight) {
  this->store().wait();
  this->store().poll();
  EXPECT_EQ(this->store().started(), this->store().finished());
}

REGISTER_TYPED_TEST_SUITE_P(BlockStoreSuite, IsEmptyAtFirst, GivesBackWhatWasWritten,
                            NumbersOperationsAndFinishesAll,
                            IsTheSameAfterItWasFlushedAndOpenedAgain,
                            SaysThatAReadReachesBehindTheEnd, WaitsForNothingWhenNothingIsInFlight);

}  // namespace plurix::conformance

// ObjectSet: a set of objects, by the places of their headers, that needs no memory of its own but
// a fixed part of the heap's size: one bit for each granule, found again through two levels of
// summary. So a collector never runs out of room however large a cycle is, and what is not touched
// of the zeroed storage costs an operating system nothing.
#pragma once

#include <plurix/heap/layout.h>

#include <bit>
#include <cstddef>
#include <span>

namespace plurix::gc {

class ObjectSet {
 public:
  /// Bytes for a heap of so many pages.
  static constexpr std::size_t storage_needed(std::uint32_t pages) noexcept {
    const std::size_t words = std::size_t{pages} * kWordsOfPage;
    return (words + upper(words) + upper(upper(words))) * sizeof(std::uint64_t);
  }

  /// Takes what it needs from the front of the storage, which is zeroed and outlives the set.
  ObjectSet(std::uint32_t pages, std::span<std::byte>& storage) noexcept
      : bits_(take(storage, std::size_t{pages} * kWordsOfPage)),
        summary_(take(storage, upper(bits_.size()))),
        top_(take(storage, upper(summary_.size()))) {}

  bool contains(heap::Offset object) const noexcept {
    const auto bit = object / heap::kGranule;
    return (bits_[bit / 64] >> bit % 64 & 1) != 0;
  }

  /// False if it was there already.
  bool insert(heap::Offset object) noexcept {
    const auto bit = object / heap::kGranule;
    auto& word = bits_[bit / 64];
    const auto mask = std::uint64_t{1} << bit % 64;
    if ((word & mask) != 0) return false;
    if (word == 0) {
      set(summary_, bit / 64);
      set(top_, bit / 64 / 64);
    }
    word |= mask;
    ++size_;
    return true;
  }

  void erase(heap::Offset object) noexcept;

  /// The first member at or behind `from`; 0: none.
  heap::Offset next(heap::Offset from) const noexcept;

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// Costs what is in it.
  void clear() noexcept;

  /// Calls `take(PageIndex, std::span<const std::uint64_t>)` for each page on which something is in
  /// it, in their order, with the page's granules as bits; nothing is in it any more then.
  template <class Take>
  void take_pages(Take take) {
    for (auto group = find(top_, 0); group < summary_.size(); group = find(top_, group)) {
      while (summary_[group] != 0) take_page(group, take);
      reset(top_, group);
    }
    size_ = 0;
  }

 private:
  using Words = std::span<std::uint64_t>;

  static constexpr std::size_t kWordsOfPage = kPageSize / heap::kGranule / 64;
  static constexpr std::size_t upper(std::size_t words) noexcept { return (words + 63) / 64; }

  static Words take(std::span<std::byte>& storage, std::size_t words) noexcept;
  static void set(Words words, std::size_t bit) noexcept {
    words[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  static void reset(Words words, std::size_t bit) noexcept {
    words[bit / 64] &= ~(std::uint64_t{1} << bit % 64);
  }
  static std::size_t find(Words words, std::size_t from) noexcept;

  /// The first page of a word of the summary, which is not 0.
  template <class Take>
  void take_page(std::size_t group, Take& take) {
    static_assert(64 % kWordsOfPage == 0);
    const auto word = static_cast<std::size_t>(std::countr_zero(summary_[group]));
    const auto first = (group * 64 + word) / kWordsOfPage * kWordsOfPage;
    const auto bits = bits_.subspan(first, kWordsOfPage);
    take(static_cast<PageIndex>(first / kWordsOfPage), std::span<const std::uint64_t>(bits));
    for (std::size_t i = 0; i < kWordsOfPage; ++i) {
      bits[i] = 0;
      reset(summary_.subspan(group, 1), first % 64 + i);
    }
  }

  Words bits_;
  Words summary_;  ///< a bit for each word of bits_
  Words top_;      ///< a bit for each word of summary_
  std::size_t size_ = 0;
};

}  // namespace plurix::gc

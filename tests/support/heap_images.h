// A made-up heap that changes, and taking images of it.
#pragma once

#include <plurix/checkpoint/image_store.h>

#include <set>
#include <string>
#include <vector>

namespace plurix::testing {

inline const checkpoint::Identity kTestIdentity{
    .cluster = 0x1234'5678'9abc'def0, .incarnation = 77, .epoch_limit = 100, .geometry = {}};

/// Eight blocks a segment, so that an image has several.
inline checkpoint::StoreOptions small_segments(std::uint32_t keep_images) {
  return {.segment_blocks = 8, .keep_images = keep_images};
}

/// The same, and what is written is compressed where that saves something.
inline checkpoint::StoreOptions small_packed_segments(std::uint32_t keep_images) {
  auto options = small_segments(keep_images);
  options.compression = checkpoint::zstd(1);
  return options;
}

/// Pages as their contents' seeds; 0: never written.
struct HeapImage {
  explicit HeapImage(std::uint32_t count) : pages(count) {}

  std::vector<std::uint64_t> pages;
  std::set<PageIndex> changed;  ///< since the last image

  /// Writes up to `count` pages.
  void change_some(std::uint64_t count, std::uint64_t seed) {
    Prng prng(mix(seed, 99));
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto page =
          static_cast<PageIndex>(count >= pages.size() ? i : prng.below(pages.size()));
      pages[page] = prng.next() | 1;
      changed.insert(page);
    }
  }

  friend bool operator==(const HeapImage& a, const HeapImage& b) { return a.pages == b.pages; }
};

/// Every second seed makes a page that hardly takes any room when it is compressed.
inline void fill_page(std::uint64_t seed, checkpoint::Block block) {
  Prng prng(seed);
  std::memcpy(block.data(), &seed, sizeof seed);
  for (std::size_t i = sizeof seed; i < block.size(); i += sizeof seed) {
    const auto word = (seed & 2) == 0 ? seed : prng.next();
    std::memcpy(block.data() + i, &word, sizeof word);
  }
}

/// The seed that a page was filled from; 0 if it was filled from none.
inline std::uint64_t seed_of(checkpoint::ConstBlock block) {
  std::uint64_t seed = 0;
  std::memcpy(&seed, block.data(), sizeof seed);
  alignas(8) std::byte expected[kBlockSize];
  fill_page(seed, checkpoint::Block{expected});
  return std::memcmp(expected, block.data(), kBlockSize) == 0 ? seed : 0;
}

/// Takes an image of what changed; returns the store's words if that fails.
template <class Store>
std::string take(Store& store, HeapImage& heap, std::uint64_t time) {
  alignas(8) std::byte bytes[kBlockSize];
  const checkpoint::Block block{bytes};
  store.begin({time}, 1, static_cast<PageIndex>(heap.pages.size()));
  for (const auto page : heap.changed) {
    fill_page(heap.pages[page], block);
    store.put(page, block);
  }
  store.finish();
  store.complete();
  if (store.error().empty()) heap.changed.clear();
  return store.error();
}

/// What an image holds; a page that is not what anybody wrote makes it equal to nothing.
template <class Store>
HeapImage read_back(Store& store, std::uint64_t time) {
  const auto* image = store.find(time);
  if (image == nullptr) return HeapImage(0);
  HeapImage heap(image->high_water);
  bool good = true;
  const auto words = store.read_image(*image, [&](PageIndex page, checkpoint::ConstBlock block) {
    heap.pages[page] = seed_of(block);
    good = good && heap.pages[page] != 0;
  });
  return words.empty() && good ? heap : HeapImage(0);
}

}  // namespace plurix::testing

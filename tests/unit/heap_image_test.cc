// A heap that is only memory is verified like a live one.
#include <gtest/gtest.h>
#include <plurix/heap/image.h>

#include <vector>

#include "support/lone_node.h"
#include "unit/heap_types.h"

namespace plurix::testing {
namespace {

constexpr std::uint32_t kPages = 96;

/// A copy of the frames of a node that holds a list and an array.
class HeapImageTest : public ::testing::Test {
 protected:
  HeapImageTest() : stamps_(HeapImage::stamps_needed(kPages)) {
    LoneNode node(kPages);
    node->run([](Transaction& t) {
      const auto list = t.root<List>("list");
      for (int i = 0; i < 100; ++i) push(t, list, i);
      t.replace("numbers", t.make_array<int>(5'000));
    });
    live_ = node.verify();
    frames_.assign(node.frames(), node.frames() + std::size_t{kPages} * kPageSize);
  }

  HeapReport verify() { return HeapImage(frames_, stamps_).verify(); }

  std::vector<std::byte> frames_;
  std::vector<std::uint64_t> stamps_;
  HeapReport live_;
};

TEST_F(HeapImageTest, IsFoundAsSoundAsTheHeapItWasTakenFrom) {
  const auto report = verify();
  EXPECT_EQ(to_words(report), "");
  EXPECT_GT(report.objects, 100u);
  EXPECT_EQ(report.objects, live_.objects);
  EXPECT_EQ(report.links, live_.links);
  EXPECT_EQ(report.pages_large, live_.pages_large);
}

TEST_F(HeapImageTest, IsReadByItsTransaction) {
  HeapImage image(frames_, stamps_);
  auto& t = image.transaction();
  const auto named = heap::look_up(t, "list");
  ASSERT_NE(named.target, 0u);
  EXPECT_EQ(t.at<List>(named.target)->size, 100);
}

TEST_F(HeapImageTest, IsNotWritten) {
  HeapImage image(frames_, stamps_);
  auto& t = image.transaction();
  const auto list = t.at<List>(heap::look_up(t, "list").target);
  EXPECT_DEATH(list.mut()->size = 1, "");
}

TEST_F(HeapImageTest, OfAnotherSizeOrOfNothingIsNone) {
  frames_.resize(frames_.size() - kPageSize);
  EXPECT_EQ(verify().wrong, 1u);
  frames_.assign(std::size_t{kPages} * kPageSize, std::byte{0});
  EXPECT_EQ(verify().wrong, 1u);
  frames_.clear();
  EXPECT_EQ(verify().wrong, 1u);
}

TEST_F(HeapImageTest, WithAWrongLinkIsNotSound) {
  std::uint64_t slot = 0;
  {
    HeapImage image(frames_, stamps_);
    slot = heap::look_up(image.transaction(), "list").target;
  }
  frames_[slot] ^= std::byte{0x40};  // `head` is its first member
  EXPECT_FALSE(verify().ok());
}

TEST_F(HeapImageTest, WithATornPageIsNotSound) {
  int tried = 0;
  for (PageIndex page = 1; page < kPages; ++page) {
    heap::PageHeader header;
    std::memcpy(&header, &frames_[std::size_t{page} * kPageSize], sizeof header);
    if (header.magic != heap::PageHeader::kMagic || header.used < 3'000) continue;
    auto torn = frames_;
    for (std::size_t i = kPageSize / 2; i < kPageSize; ++i) {
      torn[std::size_t{page} * kPageSize + i] = std::byte{0};
    }
    EXPECT_FALSE(HeapImage(torn, stamps_).verify().ok()) << "page " << page;
    ++tried;
  }
  EXPECT_GT(tried, 0);
}

}  // namespace
}  // namespace plurix::testing

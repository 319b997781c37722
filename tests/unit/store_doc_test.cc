// docs/store.md against the code: the layout of every struct, and the worked example, byte for
// byte. The bytes of the example are a promise: stores that were written stay readable.
#include <gtest/gtest.h>
#include <plurix/checkpoint/image_store.h>
#include <plurix/sim/memory_block_store.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

namespace plurix::checkpoint {
namespace {

using Fields = std::vector<std::pair<std::string, std::pair<std::size_t, std::size_t>>>;

#define PLURIX_FIELD(type, name)                        \
  {                                                     \
    #name, { offsetof(type, name), sizeof(type::name) } \
  }

std::map<std::string, std::pair<std::size_t, Fields>> real_layouts() {
  return {{"SuperblockHeader",
           {sizeof(SuperblockHeader),
            {PLURIX_FIELD(SuperblockHeader, crc32c), PLURIX_FIELD(SuperblockHeader, magic),
             PLURIX_FIELD(SuperblockHeader, version), PLURIX_FIELD(SuperblockHeader, images),
             PLURIX_FIELD(SuperblockHeader, segment_blocks),
             PLURIX_FIELD(SuperblockHeader, sequence), PLURIX_FIELD(SuperblockHeader, identity)}}},
          {"Identity",
           {sizeof(Identity),
            {PLURIX_FIELD(Identity, cluster), PLURIX_FIELD(Identity, incarnation),
             PLURIX_FIELD(Identity, epoch_limit), PLURIX_FIELD(Identity, geometry),
             PLURIX_FIELD(Identity, node), PLURIX_FIELD(Identity, parting),
             PLURIX_FIELD(Identity, endpoint)}}},
          {"ImageEntry",
           {sizeof(ImageEntry),
            {PLURIX_FIELD(ImageEntry, time), PLURIX_FIELD(ImageEntry, previous),
             PLURIX_FIELD(ImageEntry, sequence), PLURIX_FIELD(ImageEntry, taken_unix_ns),
             PLURIX_FIELD(ImageEntry, epoch), PLURIX_FIELD(ImageEntry, high_water),
             PLURIX_FIELD(ImageEntry, first_map), PLURIX_FIELD(ImageEntry, map_crc),
             PLURIX_FIELD(ImageEntry, pages_written), PLURIX_FIELD(ImageEntry, pages_known),
             PLURIX_FIELD(ImageEntry, duration_us), PLURIX_FIELD(ImageEntry, pages_snooped)}}},
          {"SegmentHeader",
           {sizeof(SegmentHeader),
            {PLURIX_FIELD(SegmentHeader, crc32c), PLURIX_FIELD(SegmentHeader, magic),
             PLURIX_FIELD(SegmentHeader, version), PLURIX_FIELD(SegmentHeader, kind),
             PLURIX_FIELD(SegmentHeader, segment), PLURIX_FIELD(SegmentHeader, time),
             PLURIX_FIELD(SegmentHeader, cluster), PLURIX_FIELD(SegmentHeader, sequence),
             PLURIX_FIELD(SegmentHeader, epoch), PLURIX_FIELD(SegmentHeader, count),
             PLURIX_FIELD(SegmentHeader, next), PLURIX_FIELD(SegmentHeader, packed_bytes),
             PLURIX_FIELD(SegmentHeader, reserved)}}}};
}

std::vector<std::string> document() {
  std::ifstream file(std::string(PLURIX_TEST_DATA) + "/../../docs/store.md");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(StoreDocument, HasTheLayoutOfEveryStruct) {
  static const std::regex heading("#### `(\\w+)`, (\\d+) bytes");
  static const std::regex row("\\| (\\d+) \\| (\\d+) \\| `(\\w+)` \\|.*");
  std::map<std::string, std::pair<std::size_t, Fields>> documented;
  std::string current;
  for (const auto& line : document()) {
    std::smatch match;
    if (std::regex_match(line, match, heading)) {
      current = match[1];
      documented[current].first = std::stoul(match[2]);
    } else if (std::regex_match(line, match, row) && !current.empty()) {
      documented[current].second.push_back(
          {match[3], {std::stoul(match[1]), std::stoul(match[2])}});
    }
  }
  EXPECT_EQ(documented, real_layouts());
}

sim::DiskImage example() {
  sim::MemoryBlockStore disk(0);
  ImageStore<sim::MemoryBlockStore> store(disk, {.segment_blocks = 3, .keep_images = 8});
  Identity identity{.cluster = 0x6f6d6564, .incarnation = 1, .epoch_limit = 2};
  identity.geometry.format = 2;  // of that example, whatever heaps are like today
  EXPECT_EQ(store.open(&identity), "");
  alignas(8) std::byte page[kBlockSize];
  std::memset(page, 0x5a, sizeof page);
  store.begin({7}, 1, 5);
  store.put(3, Block{page});
  store.finish({.taken_unix_ns = 0, .pages_known = 1, .duration_us = 250});
  store.complete();
  return disk.contents();
}

std::string hex(const sim::DiskImage& disk, std::size_t offset, std::size_t count) {
  std::string words;
  for (std::size_t i = 0; i < count; ++i) {
    char text[4];
    std::snprintf(text, sizeof text, "%02x ", static_cast<unsigned>(disk.at(offset + i)));
    words += text;
  }
  return words;
}

TEST(StoreDocument, ShowsTheBytesOfAStore) {
  static const std::regex row("([0-9a-f]{5})  ((?:[0-9a-f]{2} )+)\\|.*");
  const auto disk = example();
  std::size_t rows = 0;
  for (const auto& line : document()) {
    std::smatch match;
    if (!std::regex_match(line, match, row)) continue;
    ++rows;
    const auto documented = match[2].str();
    const auto offset = std::stoul(match[1], nullptr, 16);
    EXPECT_EQ(documented, hex(disk, offset, documented.size() / 3)) << "at " << match[1];
  }
  EXPECT_GT(rows, 15U);
}

}  // namespace
}  // namespace plurix::checkpoint

// A node takes all its memory once: what `storage_needed` says is enough for every configuration,
// and the constructor notices when it was not given.
#include <gtest/gtest.h>
#include <plurix/commit/first_wins.h>
#include <plurix/dsm/protocol.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <vector>

namespace plurix {
namespace {

using Core = Protocol<FirstWins>;

void construct(const CoreConfig& config, std::size_t bytes) {
  std::vector<std::byte> frames(config.geometry.bytes());
  // Exactly so many bytes, so that a sanitizer sees one too many.
  const auto storage = std::make_unique<std::byte[]>(bytes);
  const auto core = std::make_unique<Core>(config, frames.data(), std::span{storage.get(), bytes});
  EXPECT_EQ(core->directory().pages(), config.geometry.pages);
}

CoreConfig config_of(std::uint32_t pages, std::uint32_t shadows, std::uint32_t records,
                     std::uint32_t words) {
  CoreConfig config;
  config.geometry.pages = pages;
  config.shadow_pages = shadows;
  config.log_records = records;
  config.log_words = words;
  return config;
}

TEST(ProtocolStorage, IsEnoughAsItIsSaidToBe) {
  const CoreConfig config = config_of(64, 8, 16, 512);
  construct(config, Core::storage_needed(config));
}

RC_GTEST_PROP(ProtocolStorage, IsEnoughForEveryConfiguration, ()) {
  const auto config = config_of(*rc::gen::inRange(1u, 300u), *rc::gen::inRange(1u, 40u),
                                1u << *rc::gen::inRange(0, 8), 1u << *rc::gen::inRange(9, 12));
  construct(config, Core::storage_needed(config));
}

TEST(ProtocolStorageDeathTest, StopsTheNodeWhenItIsTooSmall) {
  const CoreConfig config = config_of(64, 8, 16, 512);
  EXPECT_DEATH(construct(config, Core::storage_needed(config) - 128), "");
}

TEST(ProtocolStorageDeathTest, StopsTheNodeWhoseCommitsCouldNotFitTheirPackets) {
  auto config = config_of(64, 1 + wire::kMaxPackets, 16, 512);
  config.words_per_packet = 1;
  EXPECT_DEATH(construct(config, Core::storage_needed(config)), "");
  config.words_per_packet = wire::kMaxWords + 1;
  EXPECT_DEATH(construct(config, Core::storage_needed(config)), "");
}

}  // namespace
}  // namespace plurix

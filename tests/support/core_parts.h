// The parts of one protocol core without the core: for tests of a single class of the hub.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/dsm/attempt.h>

#include <cstring>
#include <memory>
#include <vector>

namespace plurix::testing {

struct CoreParts {
  explicit CoreParts(std::uint32_t pages = 32, std::uint32_t shadow_pages = 8)
      : config(config_of(pages, shadow_pages)),
        memory(std::size_t{pages} * kPageSize),
        block(1 << 20),
        arena(block),
        actions(std::make_unique<ActionList>()),
        core(config, *actions),
        directory(core, arena, memory.data()),
        attempt(core, directory, arena) {}

  static CoreConfig config_of(std::uint32_t pages, std::uint32_t shadow_pages) {
    CoreConfig config;
    config.geometry.pages = pages;
    config.shadow_pages = shadow_pages;
    return config;
  }

  void fill(PageIndex page, int value) {
    std::memset(directory.frame(page).data(), value, kPageSize);
  }
  int byte(PageIndex page, std::size_t at = 0) const {
    return static_cast<int>(directory.frame(page)[at]);
  }

  CoreConfig config;
  std::vector<std::byte> memory;
  std::vector<std::byte> block;
  Arena arena;
  std::unique_ptr<ActionList> actions;
  CoreContext core;
  PageDirectory directory;
  Attempt attempt;
};

}  // namespace plurix::testing

// What allocating, linking and fetching cost on this machine, and how many objects the heap holds.
#pragma once

#include <optional>

#include "heap/node.h"

namespace plurix::kernel {

struct Measured {
  std::uint64_t objects = 0;  ///< the system's own among them
  std::int64_t allocation_ns = 0;
  std::int64_t assignment_ns = 0;
};

/// Each the mean of many in one transaction, which leaves garbage.
Measured measure(Node& node) noexcept;

/// As many pages as the paper's kernel has (section 6.1).
inline constexpr std::uint32_t kLentPages = 284;

/// Makes two objects of that size for another machine to fetch. False if there is no room.
bool lend_pages(Node& node) noexcept;

struct Fetched {
  Duration one_by_one;
  Duration together;
};

/// Fetches what another machine has lent, once; none if there is nothing.
std::optional<Fetched> fetch_lent_pages(Node& node) noexcept;

}  // namespace plurix::kernel

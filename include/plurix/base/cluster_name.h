// What a cluster's name is on the wire: equal names, equal hashes, on every machine.
#pragma once

#include <plurix/base/prng.h>

#include <string_view>

namespace plurix {

constexpr std::uint64_t hash_cluster_name(std::string_view name) noexcept {
  std::uint64_t hash = 0x706c75726978;
  for (const char c : name) hash = mix(hash, static_cast<unsigned char>(c));
  return hash;
}

}  // namespace plurix

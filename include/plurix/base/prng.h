// A small deterministic generator (SplitMix64, Steele, Lea and Flood 2014): the same seed gives the
// same sequence on every compiler. Not for secrets.
#pragma once

#include <cstdint>

namespace plurix {

class Prng {
 public:
  explicit constexpr Prng(std::uint64_t seed) noexcept : state_(seed) {}

  constexpr std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, bound); 0 when bound is 0. The bias of the modulo is below 2^-32 for the bounds
  /// used here.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    return bound == 0 ? 0 : next() % bound;
  }

  /// True with probability per_million / 1 000 000.
  constexpr bool chance(std::uint32_t per_million) noexcept {
    return below(1'000'000) < per_million;
  }

 private:
  std::uint64_t state_;
};

/// Mixes two values into one seed or digest.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  return Prng(a ^ (b * 0xff51afd7ed558ccd)).next();
}

}  // namespace plurix

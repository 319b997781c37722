// SegmentSprayer: puts frames on a hub's segment that no station has sent: noise, and frames heard
// there whole, cut, altered, or under a stranger's address. Nodes must count and drop them.
//
// Like HostileSprayer it does not forge what only authentication could tell apart.
#pragma once

#include <plurix/base/prng.h>
#include <plurix/concepts/transport.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace plurix::tool {

struct SprayCounters {
  std::uint64_t noise = 0;      ///< random bytes, half of them under our EtherType
  std::uint64_t truncated = 0;  ///< heard frames without their end
  std::uint64_t altered = 0;    ///< heard frames with bytes changed behind the addresses
  std::uint64_t strange = 0;    ///< heard frames, altered or not, from an unknown address
  std::uint64_t replayed = 0;   ///< heard frames as they were

  std::uint64_t sent() const noexcept { return noise + truncated + altered + strange + replayed; }
};

class SegmentSprayer {
 public:
  explicit SegmentSprayer(std::uint64_t seed) : prng_(seed) {}

  /// A frame that passed on the segment; some of them are kept.
  void hear(Bytes frame);

  /// Makes the next frame; valid until the next call.
  Bytes next();

  const SprayCounters& counters() const noexcept { return counters_; }

 private:
  static constexpr std::size_t kKept = 256;
  static constexpr std::size_t kAddresses = 12;

  void make_noise();
  void cut();
  void alter();
  void disguise();

  Prng prng_;
  std::vector<std::vector<std::byte>> kept_;
  std::vector<std::byte> frame_;
  SprayCounters counters_;
};

}  // namespace plurix::tool

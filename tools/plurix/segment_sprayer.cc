#include "segment_sprayer.h"

#include <plurix/ethernet/frame.h>

namespace plurix::tool {

void SegmentSprayer::hear(Bytes frame) {
  if (kept_.size() < kKept) {
    kept_.emplace_back(frame.begin(), frame.end());
  } else if (prng_.below(16) == 0) {
    kept_[prng_.below(kKept)].assign(frame.begin(), frame.end());
  }
}

Bytes SegmentSprayer::next() {
  const auto kind = kept_.empty() ? 0 : prng_.below(5);
  if (!kept_.empty()) frame_ = kept_[prng_.below(kept_.size())];
  std::uint64_t SprayCounters::* const counts[] = {&SprayCounters::noise, &SprayCounters::truncated,
                                                   &SprayCounters::altered, &SprayCounters::strange,
                                                   &SprayCounters::replayed};
  if (kind == 0) make_noise();
  if (kind == 1) cut();
  if (kind == 2) alter();
  if (kind == 3) disguise();
  ++(counters_.*counts[kind]);
  return frame_;
}

void SegmentSprayer::make_noise() {
  constexpr std::size_t kHeader = 14;
  frame_.resize(kHeader + prng_.below(ethernet::kLongestFrame - kHeader + 1));
  for (auto& byte : frame_) byte = static_cast<std::byte>(prng_.next());
  if (prng_.below(2) == 0) return;
  for (std::size_t i = 0; i < 6; ++i) frame_[i] = std::byte{0xff};
  frame_[12] = std::byte{ethernet::kEtherType >> 8};
  frame_[13] = std::byte{ethernet::kEtherType & 0xff};
}

void SegmentSprayer::cut() { frame_.resize(kAddresses + prng_.below(frame_.size() - kAddresses)); }

void SegmentSprayer::alter() {
  for (auto changes = 1 + prng_.below(4); changes > 0; --changes) {
    frame_[kAddresses + prng_.below(frame_.size() - kAddresses)] ^=
        static_cast<std::byte>(1 + prng_.below(255));
  }
}

void SegmentSprayer::disguise() {
  if (prng_.below(2) == 0) alter();
  for (std::size_t i = 6; i < kAddresses; ++i) frame_[i] = static_cast<std::byte>(prng_.next());
  frame_[6] &= std::byte{0xfe};
}

}  // namespace plurix::tool

// CheckpointPolicy: when the PageServer takes the next image, and whether the cluster stands still
// meanwhile. A pure choice from what the PageServer knows.
#pragma once

#include <plurix/base/time.h>
#include <plurix/base/types.h>

#include <concepts>

namespace plurix {

struct CheckpointSituation {
  Duration since_last;         ///< time since the last image was stored, or since the start
  Duration quiet;              ///< time since the last commit
  std::uint64_t commits = 0;   ///< since the last image
  bool asked = false;          ///< somebody waits for an image, or it was ordered
  std::uint32_t failures = 0;  ///< images that came to nothing since the last one
};

/// `due` is only asked when there is something to store and no image is being taken.
template <class P>
concept ChoosesImages = requires(const P& p, const CheckpointSituation& situation) {
  { p.due(situation) } noexcept -> std::same_as<bool>;
};

template <class P>
concept ChoosesWhetherToStop = requires(const P& p, const CheckpointSituation& situation) {
  { p.stops_cluster(situation) } noexcept -> std::same_as<bool>;
};

template <class P>
concept CheckpointPolicy = ChoosesImages<P> && ChoosesWhetherToStop<P>;

}  // namespace plurix

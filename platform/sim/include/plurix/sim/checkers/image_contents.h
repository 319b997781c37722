// Checker for DESIGN C1: an image holds, of every page, what the page was at the image's commit
// time. The owners' pages are looked at after every slice, so it knows what commits left behind
// without asking the code that takes the images.
#pragma once

#include <plurix/dsm/protocol.h>

#include <map>
#include <optional>
#include <span>
#include <vector>

namespace plurix::sim {

class ImageContentsChecker {
 public:
  explicit ImageContentsChecker(const HeapGeometry& geometry);

  /// A node has done something: what it has committed is looked at.
  void check_after(const ProtocolCore& node);

  /// An epoch began from `time`: what older ones committed later is undone.
  void undo_after(CommitTime time);

  /// An image of `time` has become durable. `digests` has the digest of each page in it; a page
  /// that is not in it is as in a new heap. `last_writes` says of each page which commit up to
  /// `time` was the last to write it; what two commits of one slice have written is only seen once,
  /// so not every such state is known. Throws Violation.
  void check_image(CommitTime time, std::span<const CommitTime> last_writes,
                   const std::map<PageIndex, std::uint64_t>& digests);

  static std::uint64_t digest_of(Bytes page) noexcept;

  std::uint64_t pages_compared() const noexcept { return compared_; }

 private:
  std::optional<std::uint64_t> digest_at(PageIndex page, CommitTime since) const;

  struct State {
    CommitTime since;
    std::uint64_t digest = 0;
  };
  std::vector<std::uint64_t> fresh_;        ///< digest of each page of a new heap
  std::vector<std::vector<State>> states_;  ///< of each page, in order of time
  std::uint64_t compared_ = 0;
};

}  // namespace plurix::sim

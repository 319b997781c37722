#include <plurix/sim/checkers/image_contents.h>

#include <plurix/base/crc32c.h>
#include <plurix/heap/layout.h>
#include <plurix/sim/checkers/violation.h>

#include <algorithm>
#include <string>

namespace plurix::sim {

ImageContentsChecker::ImageContentsChecker(const HeapGeometry& geometry) : states_(geometry.pages) {
  std::vector<std::byte> heap(geometry.bytes());
  format_heap(heap.data(), geometry);
  for (PageIndex page = 0; page < geometry.pages; ++page) {
    fresh_.push_back(digest_of(Bytes{heap}.subspan(std::size_t{page} * kPageSize, kPageSize)));
  }
}

std::uint64_t ImageContentsChecker::digest_of(Bytes page) noexcept { return crc32c(page); }

void ImageContentsChecker::check_after(const ProtocolCore& node) {
  // Who is cut off now may have committed before.
  if (!node.core().member || node.core().resyncing) return;
  const auto& directory = node.directory();
  for (PageIndex page = 0; page < states_.size(); ++page) {
    if (directory.state(page) != PageState::kOwned) continue;
    const auto since = directory.written(page);
    auto& states = states_[page];
    const bool known = !states.empty() && since <= states.back().since;
    if (known || since == CommitTime{} || since > node.core().applied) continue;
    states.push_back({since, digest_of(node.attempt().committed_contents(page))});
  }
}

void ImageContentsChecker::undo_after(CommitTime time) {
  for (auto& states : states_) {
    while (!states.empty() && states.back().since > time) states.pop_back();
  }
}

void ImageContentsChecker::check_image(CommitTime time, std::span<const CommitTime> last_writes,
                                       const std::map<PageIndex, std::uint64_t>& digests) {
  for (PageIndex page = 0; page < states_.size(); ++page) {
    const auto found = digests.find(page);
    const auto digest = found == digests.end() ? fresh_[page] : found->second;
    const auto expected = digest_at(page, last_writes[page]);
    if (!expected) continue;
    ++compared_;
    if (digest == *expected) continue;
    throw Violation("C1: page " + std::to_string(page) + " of the image of commit time " +
                    std::to_string(time.value) + " is not what it was since commit time " +
                    std::to_string(last_writes[page].value));
  }
}

std::optional<std::uint64_t> ImageContentsChecker::digest_at(PageIndex page,
                                                             CommitTime since) const {
  if (since == CommitTime{}) return fresh_[page];
  for (const auto& state : states_[page]) {
    if (state.since == since) return state.digest;
  }
  return std::nullopt;
}

}  // namespace plurix::sim

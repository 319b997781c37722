// ImageSink: what the PageServer's store is told while an image of the heap is taken, and asked for
// when the cluster goes back to one. A node without a sink takes no images.
#pragma once

#include <plurix/base/page.h>
#include <plurix/concepts/transport.h>

#include <span>

namespace plurix {

enum class ImageEventKind : std::uint8_t {
  kBegin,    ///< an image of commit time `time` of `epoch` begins; it ends at page `page`
  kPage,     ///< `bytes` are the contents of `page`; valid during the call
  kEnd,      ///< no page is missing; `page` of them needed no request, and of these `snooped` were
             ///< overheard when they went to somebody else
  kGivenUp,  ///< it will not be, because of `failure`
  kEpoch,    ///< `epoch` begins here; on the PageServer nobody hears of it before the call returns
  kLetIn,    ///< this node has joined, in `epoch`; on the PageServer nobody hears of it
             ///< before the call returns
  kRestore,  ///< the cluster goes back: the frames from `frames` on are to be filled with the
             ///< newest image, that of `time`; at time 0 there is none, and they stay as they are.
             ///< Frames of pages that were `last_written` before `time` have these contents already
};

/// Why an image will not be.
enum class ImageFailure : std::uint8_t {
  kNone,
  kEpoch,         ///< a new epoch began, or this node left: whose contents they would be is undone
  kContentsLost,  ///< a page was written again and its node had no room to keep what it was
  kSilence,       ///< no page came for CoreConfig::image_patience
  kNoRoom,        ///< more pages came in one step than a list of actions holds
  kStore,         ///< the store has failed; it knows why
};

struct ImageEvent {
  ImageEventKind kind = ImageEventKind::kGivenUp;
  Epoch epoch = 0;
  CommitTime time;
  PageIndex page = 0;
  Bytes bytes = {};
  std::byte* frames = nullptr;
  std::span<const CommitTime> last_written = {};  ///< of each page, 0 for never; empty: not known
  std::uint32_t snooped = 0;
  ImageFailure failure = ImageFailure::kNone;
};

/// Called while the node is masked; it may wait for a disk, and must not call the node.
struct ImageSink {
  void (*call)(void* context, const ImageEvent& event) noexcept = nullptr;
  void* context = nullptr;

  void operator()(const ImageEvent& event) const noexcept {
    if (call != nullptr) call(context, event);
  }
};

}  // namespace plurix

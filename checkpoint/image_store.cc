#include <plurix/checkpoint/page_server.h>

namespace plurix::checkpoint {

std::string words_for(BlockError error) {
  switch (error) {
    case BlockError::kNone:
      return {};
    case BlockError::kFull:
      return "the disk is full; free some space, the images taken so far are untouched";
    case BlockError::kReadOnly:
      return "the store can only be read; give this user the right to write it";
    case BlockError::kBeyond:
      return "the store ends too early; it was cut off";
    case BlockError::kDevice:
      return "the disk failed; the images taken so far may still be read";
  }
  return {};
}

std::string words_for(ImageFailure failure) {
  switch (failure) {
    case ImageFailure::kNone:
      return {};
    case ImageFailure::kEpoch:
      return "a new epoch began meanwhile, or the PageServer left; it is taken again";
    case ImageFailure::kContentsLost:
      return "more pages were written meanwhile than a node keeps; give the nodes more pre_images";
    case ImageFailure::kSilence:
      return "no page came for long; look whether all nodes are there";
    case ImageFailure::kNoRoom:
      return "more pages came at once than a step can hand on; it is taken again";
    case ImageFailure::kStore:
      return "the store has failed";
  }
  return {};
}

}  // namespace plurix::checkpoint

#include <plurix/checkpoint/image_store.h>

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

}  // namespace plurix::checkpoint

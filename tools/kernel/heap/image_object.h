// A program's image as an object of the heap: an array of bytes, pinned, at the place it is linked
// for.
#pragma once

#include <plurix/transaction.h>

#include <cstring>
#include <span>

namespace plurix::kernel {

using Image = Array<std::byte>;

/// `image` begins with the array's count. Ends the transaction as out of memory if the place is
/// taken.
inline Ref<Image> make_image(Transaction& t, std::span<const std::byte> image, PageIndex place) {
  const auto body = heap::allocate(t, {.bytes = image.size(),
                                       .alignment = Image::kAlignment,
                                       .type = t.type<std::byte>(),
                                       .flags = heap::Tag::kArray | heap::Tag::kPinned,
                                       .placement = Placement::kSystemReadOnly,
                                       .at = place});
  std::memcpy(t.writing_range(body, image.size()), image.data(), image.size());
  return {t, body};
}

}  // namespace plurix::kernel

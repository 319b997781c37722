// LinkPlaces: where the links of an object stand, for the types whose objects have few of them.
// Descriptors never change, but the heap may go back to an older image: what was learned holds for
// one attempt.
#pragma once

#include <plurix/heap/layout.h>

#include <cstdint>
#include <span>

namespace plurix {
class Transaction;
}

namespace plurix::gc {

class LinkPlaces {
 public:
  static constexpr std::size_t kMost = 16;

  /// The links of one type, as offsets from the header.
  struct Places {
    heap::Offset type = 0;
    bool few = false;  ///< the list is complete
    std::uint16_t count = 0;
    std::uint16_t at[kMost] = {};

    std::span<const std::uint16_t> all() const noexcept { return {at, count}; }
  };

  void forget() noexcept {
    for (auto& known : known_) known.type = 0;
  }

  /// Of a small object that is no array; nullptr if it is another one or has more than kMost.
  const Places* of(Transaction& t, const heap::ObjectHeader& header) {
    using heap::Tag;
    if (Tag(header.tag).has(Tag::kLarge | Tag::kArray | Tag::kLinkless)) return nullptr;
    auto& known = known_[header.type / heap::kGranule % kKnown];
    if (known.type != header.type) learn(t, header.type, known);
    return known.few ? &known : nullptr;
  }

 private:
  static constexpr std::size_t kKnown = 16;

  static void learn(Transaction& t, heap::Offset type, Places& places);

  Places known_[kKnown];
};

}  // namespace plurix::gc

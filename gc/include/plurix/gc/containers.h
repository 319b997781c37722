// Containers: in which object a link stands. A backchain leads from an object to the links that
// lead to it; to follow it further one needs the objects around these links. Pages of small objects
// are walked once a transaction, and where their blocks begin is kept.
#pragma once

#include <plurix/heap/layout.h>

#include <cstdint>

namespace plurix {
class Transaction;
}

namespace plurix::gc {

class Containers {
 public:
  /// What was kept is of an earlier attempt.
  void forget() noexcept;

  /// The header of the object around a link; 0 for the link to the root directory, which stands in
  /// none.
  heap::Offset around(Transaction& t, heap::Offset slot);

  /// Whether an object's header stands there.
  bool is_object(Transaction& t, heap::Offset at);

 private:
  static constexpr std::size_t kKept = 64;
  static constexpr std::size_t kWords = kPageSize / heap::kGranule / 64;

  struct Page {
    PageIndex page = kNoPage;
    std::uint64_t begins[kWords];  ///< a bit for each granule where a block begins
  };

  /// A large object: what was found last, to be looked at again before it is believed.
  struct Large {
    PageIndex first = kNoPage;
    PageIndex end = 0;
  };

  const Page& blocks_of(Transaction& t, PageIndex page);
  heap::Offset around_in_large(Transaction& t, PageIndex page);

  Page kept_[kKept];
  Large large_;
};

}  // namespace plurix::gc

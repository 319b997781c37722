// Freeing and moving objects (paper section 2.4): an ordinary transaction that finds everything
// which refers to the object through its backchain.
#pragma once

#include <plurix/heap/layout.h>

#include <cstdint>

namespace plurix {

class Transaction;

namespace heap {

/// Takes back the object at `body`: its own links are cleared, weak links to it too. Misuse if
/// another link leads to it.
void free_object(Transaction& t, Offset body);

/// Takes back an object whose links are cleared and to which nothing leads any more, not even a
/// weak link.
void discard_object(Transaction& t, Offset header);

/// Clears the links of an object, telling the collector of what they led to.
void clear_links(Transaction& t, Offset header);

/// Goes through the links in an object.
class LinkWalk {
 public:
  LinkWalk(Transaction& t, Offset header);

  /// The next link's slot; 0 behind the last.
  Offset next();

  /// Goes through the elements of an array from the last one to the first. Before the first next().
  void go_backwards() noexcept;

  /// Elements whose links were not all returned yet; 1 or 0 if the object is no array.
  std::uint64_t elements_left() const noexcept { return elements_; }

 private:
  Transaction& t_;
  Offset body_ = 0;
  Offset type_ = 0;
  Offset step_ = 0;             ///< from an element to the next one
  std::uint64_t elements_ = 0;  ///< still to come, with the current one
  std::uint32_t runs_ = 0;
  std::uint32_t run_ = 0;
  std::uint32_t in_run_ = 0;
};

/// Moves the object at `body` to pages of this node and returns where its body stands then. An
/// object that is pinned stays.
Offset relocate(Transaction& t, Offset body);

/// The same, to pages of another placement.
Offset relocate(Transaction& t, Offset body, Placement placement);

/// Moves every object of a page of small objects to pages of this node, so that the page becomes
/// empty unless something on it is pinned. Returns how many were moved.
std::uint32_t evacuate(Transaction& t, PageIndex page);

}  // namespace heap
}  // namespace plurix

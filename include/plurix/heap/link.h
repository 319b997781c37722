// Link<T>: a reference that is stored in a heap object. Storing one keeps the target's backchain:
// the target can be moved, and knows when nobody refers to it any more.
//
// A link lives in the heap only. It may be a member of a heap object, directly or inside members
// and arrays; assigning one anywhere else (a local copy of a struct, outside a transaction) is
// Misuse.
#pragma once

#include <plurix/heap/backchain.h>
#include <plurix/heap/current.h>

#include <cstddef>
#include <cstdint>

namespace plurix {

template <class T>
class Ref;

/// A link to an object of any type: what Link<T> is made of.
class AnyLink {
 public:
  constexpr AnyLink() noexcept = default;
  AnyLink(const AnyLink& other) { assign(other.target(), other.flags()); }
  AnyLink& operator=(const AnyLink& other) {
    assign(other.target(), other.flags());
    return *this;
  }

  /// Where the target's body stands in the heap, 0: nowhere.
  std::uint64_t target() const noexcept { return target_ & ~heap::kTargetFlags; }
  explicit operator bool() const noexcept { return target() != 0; }

  /// A weak link follows its target when that is moved and is cleared when it is freed, but does
  /// not keep it alive.
  bool is_weak() const noexcept { return (flags() & heap::kWeak) != 0; }

  void clear() { assign(0, 0); }

  /// Links to the object at `target`, of whatever type.
  void assign(std::uint64_t target, std::uint64_t flags);

  friend bool operator==(const AnyLink& a, const AnyLink& b) noexcept {
    return a.target() == b.target();
  }
  friend bool operator==(const AnyLink& a, std::nullptr_t) noexcept { return !a; }

 protected:
  /// That a program has come to the target by this link, which is weak.
  void tell_collector() const;

 private:
  std::uint64_t flags() const noexcept { return target_ & heap::kTargetFlags; }

  std::uint64_t target_ = 0;
  std::uint64_t next_ = 0;  ///< the next link to the same object
  std::uint64_t back_ = 0;  ///< the word that leads to this link
};
static_assert(sizeof(AnyLink) == 24);

template <class T>
class Link : public AnyLink {
 public:
  constexpr Link() noexcept = default;
  Link(std::nullptr_t) noexcept {}  // NOLINT: a null link is written like a null pointer
  Link(const Ref<T>& object) { *this = object; }  // NOLINT: as a pointer is made from another
  Link(const Link&) = default;
  Link& operator=(const Link&) = default;

  Link& operator=(const Ref<T>& object) {
    assign(object ? object.offset() : 0, 0);
    return *this;
  }
  Link& operator=(std::nullptr_t) {
    clear();
    return *this;
  }

  /// Links without keeping the object alive.
  void assign_weak(const Ref<T>& object) { assign(object ? object.offset() : 0, heap::kWeak); }

  /// The object, as a reference of the current transaction; null if the link is.
  Ref<T> ref() const {
    if (!*this) return {};
    if (is_weak()) [[unlikely]]
      tell_collector();
    return {*detail::current_transaction, target()};
  }
  operator Ref<T>() const { return ref(); }  // NOLINT: a link is used like what it leads to

  /// Reads the object, as Ref does.
  const T* operator->() const { return ref().operator->(); }
  const T& operator*() const { return *ref(); }
};

}  // namespace plurix

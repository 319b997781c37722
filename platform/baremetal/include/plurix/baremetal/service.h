// Services: objects in the heap that hold the addresses of functions, which are code in the heap,
// so they mean the same on every machine. A program calls them directly, with references to heap
// objects and plain values; nothing is copied, packed or numbered.
//
//   struct Counter {
//     static constexpr std::string_view kName = "system/services/counter";
//     Entry<long(Transaction&, const Ref<Counter>&)> next;
//     Link<Number> number;
//   };
//   const auto counter = find_service<Counter>(t);
//   if (counter) counter->next(t, counter);
//
// What a function takes and returns is part of its entry's type, and so of the layout that the heap
// keeps for the service: a program that was compiled with another interface is refused, with the
// type and the entry it disagrees about, before it calls anything.
#pragma once

#include <plurix/base/assert.h>
#include <plurix/transaction.h>

#include <algorithm>
#include <string_view>
#include <type_traits>

namespace plurix::baremetal {

template <class Signature>
class Entry;

/// The place of a function of that type.
template <class R, class... A>
class Entry<R(A...)> {
 public:
  static_assert((!std::is_pointer_v<std::remove_cvref_t<A>> && ...) && !std::is_pointer_v<R>,
                "a service takes and returns references to heap objects and values: no pointers");

  PLURIX_FIELDS(address_)

  Entry() noexcept = default;
  Entry(R (*function)(A...)) noexcept  // NOLINT: a function is an entry
      : address_(reinterpret_cast<std::uintptr_t>(function)) {}

  /// For callers that are programs of their own: links in the function know the caller's
  /// transaction.
  template <R (*kFunction)(A...)>
  static Entry of() noexcept {
    return Entry([](A... arguments) -> R {
      enter(arguments...);
      return kFunction(std::forward<A>(arguments)...);
    });
  }

  template <class... B>
  R operator()(B&&... arguments) const {
    static_assert(std::is_invocable_r_v<R, R (*)(A...), B...>,
                  "the service takes other arguments, see its entry");
    PLURIX_ASSERT(address_ != 0);
    return reinterpret_cast<R (*)(A...)>(address_)(std::forward<B>(arguments)...);
  }

 private:
  template <class... Rest>
  static void enter(Transaction& t, const Rest&...) noexcept {
    plurix::detail::current_transaction = &t;
  }

  std::uintptr_t address_ = 0;
};

namespace detail {

/// Leaves a sentence in the transaction's room for words.
inline void say(Transaction& t, std::string_view what, std::string_view name = {}) noexcept {
  auto room = t.words();
  for (const auto part : {what, name}) {
    const auto length = std::min(part.size(), room.size() - 1);
    std::copy_n(part.begin(), length, room.begin());
    room = room.subspan(length);
  }
  room.front() = '\0';
}

}  // namespace detail

/// The service, or null: `t.words()` then says that there is none of that name, or how the heap and
/// this program disagree about its type.
template <class Service>
Ref<Service> find_service(Transaction& t) {
  const auto named = heap::look_up(t, Service::kName);
  if (named.target == 0) {
    detail::say(t, "there is no service ", Service::kName);
    return {};
  }
  heap::TypeLayout own;
  heap::describe<Service>(own);
  if (const auto mismatch = heap::compare_type(t, own)) {
    detail::say(t, mismatch.words);
    return {};
  }
  if (named.type == own.type_hash) return {t, named.target};
  detail::say(t, "the service is of another type than ", own.name);
  return {};
}

}  // namespace plurix::baremetal

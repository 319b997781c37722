#include <plurix/heap/candidates.h>
#include <plurix/outcome.h>
#include <plurix/transaction.h>

namespace plurix {
namespace {

[[noreturn]] void no_transaction() {
  constexpr const char* kWords = "a Link assigned outside a transaction";
#if defined(__cpp_exceptions)
  throw Misuse(kWords);
#else
  panic(kWords, __FILE__, __LINE__);
#endif
}

}  // namespace

void AnyLink::assign(std::uint64_t target, std::uint64_t flags) {
  // A null link may be copied and cleared anywhere: that is how local structs begin and end.
  if (target == 0 && target_ == 0) return;
  auto* t = detail::current_transaction;
  if (t == nullptr) no_transaction();
  heap::set_link(*t, t->offset_of(this), target, flags);
}

void AnyLink::tell_collector() const {
  if (auto* t = detail::current_transaction) heap::follow_weak_link(*t, target());
}

}  // namespace plurix

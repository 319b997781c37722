// A Link is stored from a Ref, not from a plain pointer: only a Ref is known to lead to an object.
// expect: no match for | no viable overloaded
#include <plurix/transaction.h>

struct Item {
  int value;
  plurix::Link<Item> next;
};

void body(plurix::Transaction& t) {
  const auto item = t.root<Item>("item");
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  item.mut()->next = item;
#else
  item.mut()->next = item.mut();
#endif
}

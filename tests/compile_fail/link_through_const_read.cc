// Storing a Link is a write: it needs mut(), as every write does.
// expect: discards qualifiers | no viable overloaded '='
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
  item->next = item;
#endif
}

// A Ref is valid inside one attempt and must not be stored in the heap.
// expect: a heap object must be trivially destructible
// expect: no Ref, which is valid inside one transaction only
#include <plurix/transaction.h>

struct Item {
  int value;
#if !defined(PLURIX_COMPILE_FAIL_CONTROL)
  plurix::Ref<int> next;
#endif
};

void body(plurix::Transaction& t) { t.root<Item>("item"); }

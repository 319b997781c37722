// What a base class says of its members says nothing of what is added to them.
// expect: name its members with PLURIX_FIELDS
#include <plurix/transaction.h>

struct Named {
  PLURIX_FIELDS(number)
  int number = 0;
};

struct Chained : Named {
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  PLURIX_FIELDS(number, next)
#endif
  plurix::Link<Chained> next;
};

void body(plurix::Transaction& t) { t.root<Chained>("chained"); }

// A root is created on first use, with nothing to construct it from.
// expect: a heap object must be default-constructible: it is created on first use
#include <plurix/transaction.h>

struct Account {
#if !defined(PLURIX_COMPILE_FAIL_CONTROL)
  explicit Account(long amount) : cents(amount) {}
#endif
  long cents;
};

void body(plurix::Transaction& t) { t.root<Account>("account"); }

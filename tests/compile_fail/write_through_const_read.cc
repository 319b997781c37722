// Reading is `->`, writing is `.mut()->`: a forgotten write mark does not compile, because nobody
// would take the shadow image.
// expect: in read-only object | returns a const value
#include <plurix/transaction.h>

struct Account {
  long cents;
};

void body(plurix::Transaction& t) {
  auto account = t.root<Account>("account");
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  account.mut()->cents = 1;
#else
  account->cents = 1;
#endif
}

// A std::string's text lives in one program's memory, and nobody would run its destructor when an
// attempt is rolled back.
// expect: a heap object must be trivially destructible: no std::string or container in it
#include <plurix/transaction.h>

#include <string>

struct Account {
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  char owner[32];
#else
  std::string owner;
#endif
  long cents;
};

void body(plurix::Transaction& t) { t.root<Account>("account"); }

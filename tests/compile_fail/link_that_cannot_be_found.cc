// Links in private members are found only if the type says where they are.
// expect: name its members with PLURIX_FIELDS
#include <plurix/transaction.h>

class Account {
 public:
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  PLURIX_FIELDS(cents_, next_)
#endif
  Account() = default;

 private:
  long cents_ = 0;
  plurix::Link<Account> next_;
};

void body(plurix::Transaction& t) { t.root<Account>("account"); }

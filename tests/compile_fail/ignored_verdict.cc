// A verdict that nobody returns changes nothing; compilers warn of it.
// expect: nodiscard
#pragma GCC diagnostic error "-Wunused-result"

#include <plurix/transaction.h>

plurix::Verdict body(plurix::Transaction& t) {
#if !defined(PLURIX_COMPILE_FAIL_CONTROL)
  t.cancel("no");
#endif
  return t.commit();
}

// An object that cannot be written cannot be created either.
// expect: a heap object is a plain, non-const object type
#include <plurix/transaction.h>

#if defined(PLURIX_COMPILE_FAIL_CONTROL)
using Root = int;
#else
using Root = const int;
#endif

void body(plurix::Transaction& t) { t.find<Root>("root"); }

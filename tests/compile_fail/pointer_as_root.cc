// A plain pointer is not adjusted when its target moves.
// expect: a heap object must not be a plain pointer: its target may move; store a Link
#include <plurix/transaction.h>

#if defined(PLURIX_COMPILE_FAIL_CONTROL)
using Root = int;
#else
using Root = int*;
#endif

void body(plurix::Transaction& t) { t.root<Root>("root"); }

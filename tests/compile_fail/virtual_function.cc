// A vtable is one program's own; the next node maps another one there.
// expect: a heap object must not have virtual functions
#include <plurix/transaction.h>

struct Shape {
#if !defined(PLURIX_COMPILE_FAIL_CONTROL)
  virtual
#endif
      int
      corners() const {
    return count;
  }
  int count;
};

void body(plurix::Transaction& t) { t.root<Shape>("shape"); }

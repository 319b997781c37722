// A local object that takes part in transactions must be able to take back what it did.
// expect: Undoable
// expect: u.undo()
#include <plurix/transaction.h>

struct Screen {
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  void undo() noexcept {}
#endif
  void committed() noexcept {}
};

void body(plurix::Transaction& t, Screen& screen) { t.use(screen); }

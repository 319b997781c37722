// A transaction keeps its hooks in a fixed place.
// expect: a hook captures at most 48 bytes: capture references
#include <plurix/transaction.h>

struct Line {
  char text[80];
};

void print(const Line& line);

void body(plurix::Transaction& t) {
  Line line = {};
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  t.undo([&line] { print(line); });
#else
  t.undo([line] { print(line); });
#endif
}

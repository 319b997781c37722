// Fields are counted by braces: where the first one cannot be made from `{}`, none would be found.
// expect: name its members with PLURIX_FIELDS
#include <plurix/transaction.h>

struct Point {
  explicit Point(int value) : x(value) {}
  int x;
};

struct Place {
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  PLURIX_FIELDS(point, next)
#endif
  Point point = Point(3);
  plurix::Link<Place> next;
};

void body(plurix::Transaction& t) { t.root<Place>("place"); }

// Local state that outlives an abort must not lead into the heap, where what it leads to may move.
// expect: PointerFree
#include <plurix/local/struct_area.h>

struct State {
  long number;
#if !defined(PLURIX_COMPILE_FAIL_CONTROL)
  struct {
    const long* there;
  } deep[2];
#endif
};

State& make(plurix::StructArea& area) { return area.make<State>(); }

// A clock gives Instants; a bare number could be anything.
// expect: Clock
// expect: c.now()
#include <plurix/concepts/clock.h>

struct Seconds {
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  plurix::Instant now() const noexcept { return {}; }
#else
  long now() const noexcept { return 0; }
#endif
};
static_assert(plurix::Clock<Seconds>);

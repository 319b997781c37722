// A service is called with the objects that its entry names.
// expect: the service takes other arguments, see its entry
#include <plurix/baremetal/service.h>

struct Counter {
  long value;
};
struct Clock {
  long value;
};

#if defined(PLURIX_COMPILE_FAIL_CONTROL)
using Given = Counter;
#else
using Given = Clock;
#endif

long call(
    plurix::Transaction& t,
    const plurix::baremetal::Entry<long(plurix::Transaction&, const plurix::Ref<Counter>&)>& next,
    const plurix::Ref<Given>& object) {
  return next(t, object);
}

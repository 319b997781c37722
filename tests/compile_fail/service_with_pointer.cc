// What a plain pointer leads to means something on one machine only.
// expect: a service takes and returns references to heap objects and values: no pointers
#include <plurix/baremetal/service.h>

#if defined(PLURIX_COMPILE_FAIL_CONTROL)
using Argument = const plurix::Ref<long>&;
#else
using Argument = const long*;
#endif

plurix::baremetal::Entry<void(plurix::Transaction&, Argument)> entry;

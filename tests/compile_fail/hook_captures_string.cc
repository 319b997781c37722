// A hook is copied as bytes.
// expect: a hook captures by reference or plain values: it is copied as bytes
#include <plurix/transaction.h>

#include <cstdio>
#include <string>

void body(plurix::Transaction& t) {
  std::string name = "ada";
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  t.on_commit([&name] { std::puts(name.c_str()); });
#else
  t.on_commit([name] { std::puts(name.c_str()); });
#endif
}

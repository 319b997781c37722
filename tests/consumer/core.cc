// The hub alone: no thread, no system call.
#include <plurix/base/crc32c.h>
#include <plurix/base/page.h>

#include <cstdio>

int main() {
  static_assert(plurix::pages_spanned(plurix::kPageSize - 1, 2) == 2);
  std::puts("plurix::core is usable");
}

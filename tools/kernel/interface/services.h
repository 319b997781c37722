// What the kernel in the heap offers to programs (plurix/baremetal/service.h).
#pragma once

#include <plurix/baremetal/service.h>

#include "workloads/shared_screen.h"

namespace plurix::kernel {

using baremetal::Entry;
using workloads::SharedScreen;

struct Number {
  long value = 0;
};

/// One number for the whole cluster.
struct CounterService {
  static constexpr std::string_view kName = "system/services/counter";

  /// Whoever asks next, on whichever machine, gets the next one.
#if !defined(PLURIX_ANOTHER_COUNTER)  // as a program was compiled that the kernel's has to refuse
  Entry<long(Transaction&, const Ref<CounterService>&)> next;
#else
  Entry<int(Transaction&, const Ref<CounterService>&)> next;
#endif
  Link<Number> number;
};

struct Place {
  unsigned row = 0;
  unsigned column = 0;
};

/// The page of text that all machines show.
struct ScreenService {
  static constexpr std::string_view kName = "system/services/screen";

  Entry<Ref<SharedScreen>(Transaction&, const Ref<ScreenService>&)> page;
  /// What a key does there: puts a character, ends the row, takes one back. Returns the next place.
  Entry<Place(Transaction&, const Ref<SharedScreen>&, Place, char)> type;
  Link<SharedScreen> screen;
};

}  // namespace plurix::kernel

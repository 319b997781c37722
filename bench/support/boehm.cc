#include "support/boehm.h"

#include "support/process.h"
#include "support/samples.h"

#include <algorithm>

#if defined(PLURIX_HAS_GC)
#include <gc.h>
#endif

namespace plurix::bench {

#if defined(PLURIX_HAS_GC)
namespace {

struct Object {
  Object* next;
  Object* other;
  long words[6];
};

class Pauses {
 public:
  template <class F>
  auto measure(F f) {
    const auto begin = now();
    auto result = f();
    longest_ = std::max(longest_, (now() - begin).ns);
    return result;
  }
  double longest_us() const { return static_cast<double>(longest_) / 1e3; }

 private:
  std::int64_t longest_ = 0;
};

Object* make(Pauses& pauses, Object* next) {
  auto* object = pauses.measure([] { return static_cast<Object*>(GC_MALLOC(sizeof(Object))); });
  GC_PTR_STORE_AND_DIRTY(&object->next, next);
  return object;
}

Object* make_list(Pauses& pauses, int count) {
  Object* list = nullptr;
  for (int i = 0; i < count; ++i) list = make(pauses, list);
  return list;
}

void drop_rings(Pauses& pauses, int count) {
  for (int i = 0; i < count; i += 20) {
    auto* last = make(pauses, nullptr);
    auto* first = last;
    for (int k = 1; k < 20; ++k) first = make(pauses, first);
    last->next = first;
    GC_END_STUBBORN_CHANGE(last);
  }
}

void collect(Pauses& pauses, bool incremental) {
  if (!incremental) {
    pauses.measure([] { return GC_gcollect(), 0; });
    return;
  }
  // Without this it may find that there is nothing to do yet, and collect nothing.
  pauses.measure([] { return GC_start_incremental_collection(), 0; });
  while (pauses.measure([] { return GC_collect_a_little(); }) != 0) {
  }
}

BoehmResult run(bool incremental, int live, int garbage) {
  GC_INIT();
  if (incremental) {
    GC_set_time_limit(1);  // ms
    GC_enable_incremental();
  }
  Pauses building;
  auto* volatile list = make_list(building, live);
  Pauses pauses;
  drop_rings(pauses, garbage);
  const auto us = microseconds_of([&] { collect(pauses, incremental); });
  GC_reachable_here(list);
  return {us * 1e3 / garbage, pauses.longest_us()};
}

}  // namespace

bool has_boehm() { return true; }

BoehmResult run_boehm(bool incremental, int live, int garbage) {
  const Shared<BoehmResult> result;
  Child child([&] { *result = run(incremental, live, garbage); });
  (void)child.join();
  return *result;
}

#else

bool has_boehm() { return false; }
BoehmResult run_boehm(bool, int, int) { return {}; }

#endif

}  // namespace plurix::bench

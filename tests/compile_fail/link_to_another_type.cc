// A Link<T> leads to objects of type T only.
// expect: no match for | no viable overloaded
#include <plurix/transaction.h>

struct Person {
  int age;
};
struct House {
  int rooms;
};
struct Owner {
  plurix::Link<House> house;
};

void body(plurix::Transaction& t) {
  const auto owner = t.root<Owner>("owner");
#if defined(PLURIX_COMPILE_FAIL_CONTROL)
  owner.mut()->house = t.make<House>();
#else
  owner.mut()->house = t.make<Person>();
#endif
}

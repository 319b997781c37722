// A list that every process which runs this program adds to. Start it twice within two seconds:
// both print the same list.
#include <plurix/posix/node.h>

#include <cstdio>

struct List {
  int size;
  int values[100];
};

int main() {
  plurix::posix::Node here{{.cluster = "shared-list"}};  // joins the cluster, or founds it
  for (int i = 0; i < 5; ++i) {
    here.run([&](plurix::Transaction& t) {  // re-run until it commits
      auto list = t.root<List>("list");     // by name, created on first use
      if (list->size == 100) list.mut()->size = 0;
      list.mut()->values[list->size] = here.id() * 100 + i;
      list.mut()->size++;
    });
    here.serve(here.now() + plurix::milliseconds(400));  // an idle node answers the others
  }
  const auto list = here.run([](plurix::Transaction& t) { return *t.root<List>("list"); });
  for (int i = 0; i < list.size; ++i) std::printf("%d ", list.values[i]);
  std::printf("\n");
}

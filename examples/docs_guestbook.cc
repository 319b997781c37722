// The program of README.md: start it twice, and both processes write into one guestbook.
#include <plurix/posix/node.h>

#include <cstdio>

struct Guestbook {
  long visits;
  int last_node;
};

int main() {
  plurix::posix::Node here{{.cluster = "guestbook"}};  // joins the cluster, or founds it
  for (int i = 0; i < 10; ++i) {
    const long visits = here.run([&](plurix::Transaction& t) {  // re-run until it commits
      auto book = t.root<Guestbook>("book");                    // by name, created on first use
      book.mut()->last_node = here.id();
      return ++book.mut()->visits;
    });
    std::printf("visit %ld, from node %d\n", visits, here.id());
    here.serve(here.now() + plurix::milliseconds(100));  // an idle node answers the others
  }
}

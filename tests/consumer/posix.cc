// Two processes share one heap: each counts to a hundred in it, together they reach two hundred.
#include <plurix/posix/node.h>

#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>
#include <string>

struct Counter {
  long value;
};

long count(const std::string& cluster) {
  plurix::posix::Node here{{.cluster = cluster}};
  for (int i = 0; i < 100; ++i) {
    here.run([](plurix::Transaction& t) { t.root<Counter>("counter").mut()->value++; });
  }
  const auto outcome = here.try_run([](plurix::Transaction& t) {
    return t.root<Counter>("counter")->value == 200 ? t.commit() : t.wait_for_change();
  });
  return outcome.committed() ? 200 : 0;
}

int main() {
  const auto cluster = "consumer-" + std::to_string(getpid());
  const pid_t child = fork();
  if (child == 0) return count(cluster) == 200 ? 0 : 1;
  const long here = count(cluster);
  int status = 1;
  waitpid(child, &status, 0);
  std::printf("two processes counted to %ld\n", here);
  return here == 200 && status == 0 ? 0 : 1;
}

// docs/api.md: plain pointers into the heap, and a system call that reads into it.
#include <plurix/posix/node.h>

#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <numeric>

using plurix::posix::Founding;

struct Samples {
  int values[4096];  // four pages
};

struct Noise {
  unsigned char bytes[512];
};

void expect(bool condition, const char* what) {
  if (condition) return;
  std::printf("not as documented: %s\n", what);
  std::exit(1);
}

// Code that knows nothing of Plurix.
long sum(const int* begin, const int* end) { return std::accumulate(begin, end, 0L); }

int main() {
  plurix::posix::Node here{{.cluster = "raw", .bind = "127.0.0.1:0", .found = Founding::kAlways}};
  here.run([](plurix::Transaction& t) {
    auto* samples = t.root<Samples>("samples").mut();
    std::iota(std::begin(samples->values), std::end(samples->values), 0);
  });

  const long total = here.run([](plurix::Transaction& t) {
    const Samples* samples = t.raw(t.root<Samples>("samples"));
    return sum(std::begin(samples->values), std::end(samples->values));
  });
  expect(total == 4095L * 4096 / 2, "a plain pointer reads");

  const int source = ::open("/dev/zero", O_RDONLY);
  const auto read_bytes = here.run([&](plurix::Transaction& t) {
    Noise* noise = t.raw_mut(t.root<Noise>("noise"));
    return ::read(source, noise->bytes, sizeof noise->bytes);  // runs again when the body does
  });
  ::close(source);
  expect(read_bytes == sizeof(Noise::bytes), "a system call writes into the heap");

  // Only the pages of one element count as read.
  const int one = here.run([](plurix::Transaction& t) {
    auto samples = t.root<Samples>("samples");
    return *samples.element(&Samples::values, 4000);
  });
  expect(one == 4000, "an element");
}

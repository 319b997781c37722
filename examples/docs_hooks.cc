// docs/api.md: what runs twice, and how local state takes part in a transaction.
#include <plurix/posix/node.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

using plurix::posix::Founding;

struct Job {
  int number;
  int done;
};

// A local object with state of its own: `undo` puts it back, `committed` makes it good.
struct Screen {
  char shown[32] = "";
  char kept[32] = "";

  void draw(const char* text) { std::snprintf(shown, sizeof shown, "%s", text); }
  void undo() noexcept { std::memcpy(shown, kept, sizeof kept); }
  void committed() noexcept { std::memcpy(kept, shown, sizeof kept); }
};
static_assert(plurix::Undoable<Screen>);

void expect(bool condition, const char* what) {
  if (condition) return;
  std::printf("not as documented: %s\n", what);
  std::exit(1);
}

int main() {
  // Every transaction runs twice before it may commit, as it would after a collision.
  plurix::posix::Node here{
      {.cluster = "hooks", .bind = "127.0.0.1:0", .found = Founding::kAlways, .restart_every = 1}};
  Screen screen;
  int ran = 0;
  int sent = 0;
  int taken_back = 0;

  here.run([&](plurix::Transaction& t) {
    ++ran;  // a side effect: counts executions, not commits
    const auto buffer = std::make_unique<char[]>(64);  // freed whether the attempt commits or not
    auto job = t.root<Job>("job");
    std::snprintf(buffer.get(), 64, "job %d", ++job.mut()->number);
    t.use(screen).draw(buffer.get());
    t.on_commit([&] { ++sent; });   // once, after the commit
    t.undo([&] { ++taken_back; });  // for each execution that is taken back
  });
  std::printf("ran %d times, sent %d times, screen: %s\n", ran, sent, screen.shown);
  expect(ran == 2 && sent == 1 && taken_back == 1, "hooks");
  expect(std::strcmp(screen.kept, "job 1") == 0, "the heap was put back before the second run");

  try {
    here.run([&](plurix::Transaction& t) {
      t.root<Job>("job").mut()->number = 99;
      t.use(screen).draw("lost");
      throw std::runtime_error("the body gives up");
    });
  } catch (const std::runtime_error& error) {
    std::printf("%s; nothing has happened\n", error.what());
  }
  const int number = here.run([](plurix::Transaction& t) { return t.root<Job>("job")->number; });
  expect(number == 1 && std::strcmp(screen.shown, "job 1") == 0, "an exception aborts");

  // Part of the transaction around it, not one of its own.
  const auto finish = [&] {
    here.run([](plurix::Transaction& t) { ++t.root<Job>("job").mut()->done; });
  };
  here.run([&](plurix::Transaction& t) {
    ++t.root<Job>("job").mut()->number;
    finish();
  });
}

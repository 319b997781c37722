// A program in the heap, compiled without the kernel: takes a number from the kernel's counter and
// writes on the page of text that all machines show.
#include "heap/node.h"
#include "interface/kernel_image.h"
#include "interface/services.h"

extern "C" {
extern const std::byte plurix_image_length[];  // their addresses are told by the linker
extern const std::byte plurix_local_begin[];
extern const std::byte plurix_local_end[];
}

namespace plurix::kernel {
namespace {

using baremetal::Text;

constinit Resident* the_resident = nullptr;

struct Said {
  long number = 0;
  Text refusal;
};

Said say_hello(Transaction& t) {
  Said said;
  const auto counter = baremetal::find_service<CounterService>(t);
  const auto screen = baremetal::find_service<ScreenService>(t);
  if (!counter || !screen) {
    said.refusal << t.words().data();
    return said;
  }
  said.number = counter->next(t, counter);
  const auto text = Text() << "hello from node " << t.node_id() << ", number " << said.number;
  const auto page = screen->page(t, screen);
  Place at{static_cast<unsigned>(said.number % 10), 0};
  for (const char c : text.view()) at = screen->type(t, page, at, c);
  return said;
}

void put_refusal(Text& answer, std::string_view words) noexcept {
  answer << "{\"event\":\"refused\",\"words\":\"" << words << "\"}\n";
}

void run(Resident& resident, Text& answer) noexcept {
  the_resident = &resident;
  set_panic_handler([](const char* what, const char* file, int line) noexcept {
    the_resident->panic(what, file, line);
  });
  const auto outcome = Node(resident).try_run(say_hello);
  answer.clear();
  if (!outcome.committed()) return put_refusal(answer, outcome.reason);
  const auto& said = *outcome.value;
  if (!said.refusal.view().empty()) return put_refusal(answer, said.refusal.view());
  answer << "{\"event\":\"hello\",\"number\":" << said.number << "}\n";
}

}  // namespace

extern const ProgramImage plurix_program_image;
[[gnu::used, gnu::section(".plurix_image")]] constinit const ProgramImage plurix_program_image = {
    .length = plurix_image_length,
    .local_begin = plurix_local_begin,
    .local_end = plurix_local_end,
    .types = kBoundaryTypes,
    .place = &plurix_program_image,
    .run = run};

}  // namespace plurix::kernel

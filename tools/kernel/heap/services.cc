#include "heap/services.h"

#include "interface/services.h"

namespace plurix::kernel {
namespace {

constexpr char kBackspace = '\b';

long next_number(Transaction&, const Ref<CounterService>& counter) {
  return ++counter->number.ref().mut()->value;
}

Ref<SharedScreen> page(Transaction&, const Ref<ScreenService>& service) {
  return service->screen.ref();
}

Place row_below(Place at) noexcept {
  return {(at.row + 1) % static_cast<unsigned>(SharedScreen::kRows), 0};
}

Place type_character(Transaction&, const Ref<SharedScreen>& screen, Place at, char key) {
  if (key == '\n') return row_below(at);
  if (key == kBackspace) {
    if (at.column > 0) workloads::write_text(screen, at.row, --at.column, " ");
    return at;
  }
  workloads::write_text(screen, at.row, at.column, {&key, 1});
  ++at.column;
  return at.column < SharedScreen::kColumns ? at : row_below(at);
}

template <class Service>
void publish_service(Transaction& t, const Ref<Service>& service) {
  if (!t.publish(Service::kName, service)) t.fail("a service of that name is there already");
}

}  // namespace

void make_services(Transaction& t) {
  const auto counter = t.make<CounterService>();
  counter.mut()->next = decltype(CounterService::next)::of<next_number>();
  counter.mut()->number = t.make<Number>();
  publish_service(t, counter);

  const auto screen = t.make<ScreenService>();
  screen.mut()->page = decltype(ScreenService::page)::of<page>();
  screen.mut()->type = decltype(ScreenService::type)::of<type_character>();
  screen.mut()->screen = t.root<SharedScreen>(SharedScreen::kName);
  publish_service(t, screen);
}

}  // namespace plurix::kernel

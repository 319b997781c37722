#include <plurix/gc/link_places.h>
#include <plurix/transaction.h>

namespace plurix::gc {

void LinkPlaces::learn(Transaction& t, heap::Offset type, Places& places) {
  places = {.type = type};
  for (const auto& run : heap::TypeView(t, type).links()) {
    for (std::uint32_t i = 0; i < run.count; ++i) {
      if (places.count == kMost) return;
      places.at[places.count++] =
          static_cast<std::uint16_t>(sizeof(heap::ObjectHeader) + run.offset + i * run.stride);
    }
  }
  places.few = true;
}

}  // namespace plurix::gc

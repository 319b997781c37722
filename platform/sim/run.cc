#include <plurix/sim/run.h>

#include <type_traits>

namespace plurix::sim {

void add(CoreCounters& sum, const CoreCounters& more) {
  // The struct is nothing but 64-bit counters.
  static_assert(std::is_trivially_copyable_v<CoreCounters>);
  static_assert(sizeof(CoreCounters) % sizeof(std::uint64_t) == 0);
  auto* to = reinterpret_cast<std::uint64_t*>(&sum);
  const auto* from = reinterpret_cast<const std::uint64_t*>(&more);
  for (std::size_t i = 0; i < sizeof(CoreCounters) / sizeof(std::uint64_t); ++i) to[i] += from[i];
}

}  // namespace plurix::sim

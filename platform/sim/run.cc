#include <plurix/sim/run.h>

#include <type_traits>

namespace plurix::sim {
namespace {

/// For structs that are nothing but 64-bit counters.
template <class Counters>
void add_counters(Counters& sum, const Counters& more) {
  static_assert(std::is_trivially_copyable_v<Counters>);
  static_assert(std::has_unique_object_representations_v<Counters>);
  static_assert(sizeof(Counters) % sizeof(std::uint64_t) == 0);
  auto* to = reinterpret_cast<std::uint64_t*>(&sum);
  const auto* from = reinterpret_cast<const std::uint64_t*>(&more);
  for (std::size_t i = 0; i < sizeof(Counters) / sizeof(std::uint64_t); ++i) to[i] += from[i];
}

}  // namespace

void add(CoreCounters& sum, const CoreCounters& more) { add_counters(sum, more); }
void add(NetworkCounters& sum, const NetworkCounters& more) { add_counters(sum, more); }

}  // namespace plurix::sim

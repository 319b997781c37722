#include <plurix/posix/environment.h>
#include <plurix/posix/shared_region.h>

#include <gtest/gtest.h>
#include <algorithm>

namespace plurix::posix {
namespace {

const Probe& named(const std::vector<Probe>& probes, std::string_view name) {
  const auto found = std::find_if(probes.begin(), probes.end(),
                                  [name](const Probe& probe) { return probe.name == name; });
  if (found == probes.end()) std::abort();
  return *found;
}

TEST(Environment, EveryProbeSaysWhatWasFoundAndWhyItMatters) {
  const auto probes = probe_environment();
  EXPECT_GE(probes.size(), 8U);
  for (const auto& probe : probes) {
    EXPECT_FALSE(probe.name.empty());
    EXPECT_FALSE(probe.found.empty()) << probe.name;
    EXPECT_FALSE(probe.why.empty()) << probe.name;
    EXPECT_EQ(probe.what_to_do.empty(), probe.ok) << probe.name;
  }
}

TEST(Environment, TheHeapsAddressRangeIsFreeUntilSomebodyTakesIt) {
  EXPECT_TRUE(named(probe_environment(), "heap address range").ok);
  const SharedRegion region(HeapGeometry{});
  const auto probes = probe_environment();
  const auto& taken = named(probes, "heap address range");
  EXPECT_FALSE(taken.ok);
  EXPECT_NE(taken.found.find("plurix-heap"), std::string::npos) << taken.found;
}

TEST(Environment, MoreMemoryThanThereIsIsNoticed) {
  const auto probes = probe_environment(HeapGeometry{.pages = 0xffffffff});
  EXPECT_FALSE(named(probes, "memory").ok);
}

}  // namespace
}  // namespace plurix::posix

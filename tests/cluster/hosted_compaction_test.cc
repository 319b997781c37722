// The memory behind pages that nobody has goes back to the operating system, and the pages can be
// used again, with each fault source.
#include <gtest/gtest.h>
#include <plurix/gc/compactor.h>
#include <plurix/heap/verify.h>
#include <plurix/posix/environment_error.h>
#include <plurix/posix/node.h>

#include <sys/mman.h>
#include <unistd.h>
#include <string>
#include <vector>

namespace plurix {
namespace {

using posix::FaultSourceKind;

struct Table {
  Link<Array<long>> numbers;
};

class HostedCompaction : public ::testing::TestWithParam<FaultSourceKind> {
 protected:
  void SetUp() override {
    if (GetParam() != FaultSourceKind::kUserfaultfd) return;
    const auto why = posix::UffdFaultSource::why_unavailable();
    if (!why.empty()) GTEST_SKIP() << why;
  }

  posix::NodeOptions options() const {
    return {.cluster = "compaction-" + std::to_string(::getpid()),
            .bind = "127.0.0.1:0",
            .found = posix::Founding::kAlways,
            .heap_bytes = std::uint64_t{16} << 20,
            .fault_source = GetParam()};
  }
};

/// Bytes of the heap for which there is memory.
std::size_t resident_bytes(const posix::Node& node) {
  std::vector<unsigned char> pages(node.options().heap_bytes / kPageSize);
  EXPECT_EQ(::mincore(node.fault_source().frames(), node.options().heap_bytes, pages.data()), 0);
  std::size_t count = 0;
  for (const auto page : pages) count += page & 1;
  return count * kPageSize;
}

void fill(posix::Node& node, long seed) {
  node.run([seed](Transaction& t) {
    const auto numbers = t.make_array<long>(1'000'000);
    auto next = seed;
    for (auto& number : numbers.mut_elements()) number = next++;
    t.root<Table>("table").mut()->numbers = numbers;
  });
}

TEST_P(HostedCompaction, GivesMemoryBackThatNoObjectHas) {
  constexpr std::size_t kBytes = 8'000'000;
  posix::Node node(options());
  gc::Compactor compactor;
  for (long round = 1; round <= 3; ++round) {
    fill(node, round);
    EXPECT_GT(resident_bytes(node), kBytes);
    (void)compactor.step(node);  // sees how much there is
    node.run([](Transaction& t) {
      const Ref<Array<long>> numbers = t.root<Table>("table")->numbers;
      t.root<Table>("table").mut()->numbers = nullptr;
      t.free(numbers);
    });
    for (int steps = 0; compactor.step(node) || steps < 200; ++steps) ASSERT_LT(steps, 10'000);
    EXPECT_LT(resident_bytes(node), kBytes / 4) << "round " << round;
    EXPECT_GE(compactor.counters().forgotten * kPageSize, kBytes);
  }
  fill(node, 7);
  EXPECT_EQ(node.run([](Transaction& t) {
    return t.root<Table>("table")->numbers.ref()[999'999].operator->()[0];
  }),
            7 + 999'999);
  EXPECT_TRUE(node.run([](Transaction& t) { return verify_heap(t).ok(); }));
}

INSTANTIATE_TEST_SUITE_P(EachSource, HostedCompaction,
                         ::testing::Values(FaultSourceKind::kSigsegv, FaultSourceKind::kUserfaultfd,
                                           FaultSourceKind::kSoftware),
                         [](const auto& name) {
                           return std::string(posix::to_string(name.param));
                         });

}  // namespace
}  // namespace plurix

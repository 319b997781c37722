// What makes a failing case small and what shows its events.
#include <gmock/gmock.h>
#include <plurix/sim/explore.h>

namespace plurix::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

bool writes(const Case& c, std::uint32_t key) {
  for (const auto& node : c.program.nodes) {
    for (const auto& plan : node) {
      for (const auto& step : plan.steps) {
        if (step.write && step.key == key) return true;
      }
    }
  }
  return false;
}

TEST(Shrink, LeavesNothingThatIsNotNeeded) {
  const auto fails = [](const Case& c) { return writes(c, 3) && c.faults.links.loss > 0; };
  auto failing = random_case({.nodes = 4, .transactions = 30}, 5);
  ASSERT_TRUE(fails(failing));
  const auto small = shrink(failing, fails);
  EXPECT_EQ(
      small.program.nodes,
      (std::vector<std::vector<TransactionPlan>>{{{small.program.nodes[0][0].kind, {{true, 3}}}}}));
  FaultSchedule only_loss;
  only_loss.links.loss = failing.faults.links.loss;
  EXPECT_EQ(small.faults, only_loss);
}

TEST(Shrink, KeepsACaseOfWhichEveryPartIsNeeded) {
  const auto original = random_case({.nodes = 2, .transactions = 3}, 1);
  const auto same = [&](const Case& c) {
    return c.program == original.program && c.faults == original.faults;
  };
  EXPECT_EQ(shrink(original, same), original);
}

TEST(Shrink, StopsAfterAsManyRunsAsAllowed) {
  int runs = 0;
  const auto always = [&](const Case&) { return ++runs > 0; };
  (void)shrink(random_case({.nodes = 4, .transactions = 30}, 5), always, 7);
  EXPECT_EQ(runs, 7);
}

TEST(Shrink, TriesOtherSeedsToo) {
  const auto original = random_case({.nodes = 3, .transactions = 3}, 1);
  const auto needs_another_seed = [&](const Case& c) {
    return c.program.nodes.size() == 3 || c.seed != original.seed;
  };
  EXPECT_EQ(shrink(original, needs_another_seed).program.nodes.size(), 1u);
}

TimedRecord event(std::int64_t us, std::uint16_t node, TraceKind kind, std::uint32_t a = 0,
                  std::uint32_t b = 0, PageIndex page = kNoPage) {
  TraceRecord record{};
  record.node = node;
  record.kind = kind;
  record.a = a;
  record.b = b;
  record.page = page;
  record.commit_time = 4;
  return {{1'000'000'000 + us * 1'000}, record};
}

constexpr auto kRequest = static_cast<std::uint32_t>(wire::MessageType::kPageRequest);
constexpr auto kBeacon = static_cast<std::uint32_t>(wire::MessageType::kTimeBeacon);

TEST(Lanes, ShowEachNodesEventsInItsColumn) {
  RunTrace trace;
  trace.newest = {event(12, 0, TraceKind::kSend, kRequest, 1, 7),
                  event(30, 1, TraceKind::kCommit, 2)};
  EXPECT_EQ(lanes(trace, 2, 10),
            "        us  node 0                    node 1\n"
            "        12  PageRequest p7 > 1 @4\n"
            "        30                            COMMIT 2 pages @4\n");
}

TEST(Lanes, CountWhatIsSaidOverAndOver) {
  RunTrace trace;
  for (int i = 0; i < 500; ++i) {
    trace.newest.push_back(event(i * 10, 0, TraceKind::kSend, kBeacon, kEveryone));
    trace.newest.push_back(event(i * 10 + 1, 1, TraceKind::kSend, kRequest, kEveryone, 7));
  }
  const auto text = lanes(trace, 2, 2);
  EXPECT_THAT(text, HasSubstr("TimeBeacon > all @4 (500 times)\n"));
  EXPECT_THAT(text, HasSubstr("PageRequest p7 > all @4 (500 times)\n"));
}

TEST(Lanes, ShowTheNewestWhenThereAreTooMany) {
  RunTrace trace;
  for (std::uint32_t i = 0; i < 20; ++i) {
    trace.newest.push_back(event(i, 0, TraceKind::kAttemptBegin, i));
  }
  const auto text = lanes(trace, 1, 3);
  EXPECT_THAT(text, HasSubstr("begin 17 @4"));
  EXPECT_THAT(text, Not(HasSubstr("begin 16 @4")));
}

TEST(Case, IsReadBackAsItWasPrinted) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto original = random_case({.nodes = 3, .transactions = 10}, seed);
    EXPECT_EQ(parse_case(to_string(original)), original) << to_string(original);
  }
}

}  // namespace
}  // namespace plurix::sim

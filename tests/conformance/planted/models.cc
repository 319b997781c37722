// Models that break one promise of their concept each. The suites must object: check.py compares
// what fails here with the `// must fail:` lines.
#include <plurix/conformance/clock_suite.h>
#include <plurix/conformance/commit_strategy_suite.h>
#include <plurix/conformance/fault_source_suite.h>
#include <plurix/conformance/trace_sink_suite.h>
#include <plurix/conformance/transport_suite.h>
#include <plurix/sim/faulty_transport.h>

#include "conformance/sim_worlds.h"
#include "examples/own_commit_strategy/oldest_first.h"

namespace plurix::conformance {

// must fail: ChoosesNobody ChoosesOneOfThoseWhoWait ChoosesAmongEquals
// must fail: ChoosesNobody KeepsEveryInvariantUnderEveryFault
INSTANTIATE_TYPED_TEST_SUITE_P(ChoosesNobody, CommitStrategySuite, OldestFirstOrNobody);

// must fail: PromisesTooMuch PassesNobodyOverForEver
struct NewestFirst {
  static constexpr std::uint32_t kHoldAfter = 4;
  NodeId grant(std::span<const TokenRequest> waiting, CommitTime) const noexcept {
    return waiting.back().node;
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(PromisesTooMuch, CommitStrategySuite, NewestFirst);

// must fail: Remembers IsAPureChoice
struct TakesTurns {
  mutable std::size_t turn = 0;
  NodeId grant(std::span<const TokenRequest> waiting, CommitTime) const noexcept {
    return waiting[turn++ % waiting.size()].node;
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Remembers, CommitStrategySuite, TakesTurns);

/// A simulated clock whose reading `Read` may change.
template <class Read>
class ChangedClock {
 public:
  explicit ChangedClock(const sim::Machine& machine) : clock_(machine) {}
  Instant now() const noexcept { return read_(clock_.now()); }

 private:
  sim::SimClock clock_;
  Read read_;
};

template <class Read>
class ClockWorld {
 public:
  const ChangedClock<Read>& clock() { return clock_; }
  void pass(Duration time) { network_.wait(0, network_.now() + time); }

 private:
  testing::SimNetwork network_;
  ChangedClock<Read> clock_{network_.machine(0)};
};

// must fail: GoesBack NeverGoesBack
struct NowAndThenEarlier {
  mutable int readings = 0;
  Instant operator()(Instant real) const {
    return ++readings % 100 == 0 ? Instant{real.ns - 1} : real;
  }
};
INSTANTIATE_TYPED_TEST_SUITE_P(GoesBack, ClockSuite, ClockWorld<NowAndThenEarlier>);

// must fail: Coarse GoesOnWithTime ShowsShortTimes
struct WholeSeconds {
  Instant operator()(Instant real) const { return {real.ns / 1'000'000'000 * 1'000'000'000}; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Coarse, ClockSuite, ClockWorld<WholeSeconds>);

// must fail: DropsRecords KeepsRecordsUnchangedAndInOrder
struct SinkThatDrops {
  static constexpr bool kEnabled = true;
  std::vector<TraceRecord> records;
  int seen = 0;
  void record(const TraceRecord& record) noexcept {
    if (++seen % 7 != 0) records.push_back(record);
  }
};
struct DroppingWorld {
  SinkThatDrops& sink() { return sink_; }
  std::optional<std::vector<TraceRecord>> kept() { return sink_.records; }

 private:
  SinkThatDrops sink_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(DropsRecords, TraceSinkSuite, DroppingWorld);

/// Four transports of the simulator, each inside a `Wrapper` that is constructed from it.
template <class Wrapper>
class TransportWorld {
 public:
  Wrapper& node(std::size_t i) { return wrappers_[i]; }
  Instant now() const { return network_.now(); }

 private:
  testing::SimNetwork network_;
  testing::DrivenTransport inner_[4] = {{network_, 0}, {network_, 1}, {network_, 2}, {network_, 3}};
  Wrapper wrappers_[4] = {Wrapper(inner_[0]), Wrapper(inner_[1]), Wrapper(inner_[2]),
                          Wrapper(inner_[3])};
};

// must fail: Loses PollReturnsWhatItHandedOut AllPeersFitAndAllAreReached
struct LosesFrames : sim::FaultyTransport<testing::DrivenTransport> {
  explicit LosesFrames(testing::DrivenTransport& inner)
      : FaultyTransport(inner, {.drop_percent = 50}) {}
};
INSTANTIATE_TYPED_TEST_SUITE_P(Loses, TransportSuite, TransportWorld<LosesFrames>);

// must fail: ForgetsPayload HeadAndPayloadArriveAsOneFrame
struct ForgetsPayload : sim::FaultyTransport<testing::DrivenTransport> {
  explicit ForgetsPayload(testing::DrivenTransport& inner) : FaultyTransport(inner) {}
  void send(NodeId to, Bytes head, Bytes) noexcept { FaultyTransport::send(to, head, {}); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(ForgetsPayload, TransportSuite, TransportWorld<ForgetsPayload>);

// must fail: KeepsPeers ARemovedPeerGetsNothing
struct KeepsPeers : sim::FaultyTransport<testing::DrivenTransport> {
  explicit KeepsPeers(testing::DrivenTransport& inner) : FaultyTransport(inner) {}
  void remove_peer(NodeId) noexcept {}
};
INSTANTIATE_TYPED_TEST_SUITE_P(KeepsPeers, TransportSuite, TransportWorld<KeepsPeers>);

// must fail: NeverCloses TakingAllRightsAwayTrapsTheNextReadAndKeepsTheFrame
struct NeverCloses : sim::SoftwareFaultSource {
  using SoftwareFaultSource::SoftwareFaultSource;
  void protect(PageIndex first, std::uint32_t count, Rights rights) noexcept {
    if (rights != Rights::kNone) SoftwareFaultSource::protect(first, count, rights);
  }
};
template <class Source>
class FaultSourceWorld {
 public:
  Source& source() { return source_; }
  std::byte read(PageIndex page, std::size_t offset) {
    source_.check(page, Access::kRead);
    return source_.view()[std::size_t{page} * kPageSize + offset];
  }
  void write(PageIndex page, std::size_t offset, std::byte value) {
    source_.check(page, Access::kWrite);
    source_.view()[std::size_t{page} * kPageSize + offset] = value;
  }

 private:
  testing::SimNetwork network_;
  Source source_{network_.machine(0), 64};
};
INSTANTIATE_TYPED_TEST_SUITE_P(NeverCloses, FaultSourceSuite, FaultSourceWorld<NeverCloses>);

// must fail: ClosesWhatWasOpened WhatIsClosedLaterIsClosedWithTheRest
struct ClosesWhatWasOpened : sim::SoftwareFaultSource {
  using SoftwareFaultSource::SoftwareFaultSource;
  void close_later(PageIndex first, std::uint32_t count) noexcept {
    for (auto page = first; page < first + count; ++page) waiting[page] = true;
  }
  void close_now() noexcept {
    for (PageIndex page = 0; page < 64; ++page) {
      if (waiting[page]) protect(page, 1, Rights::kNone);
      waiting[page] = false;
    }
  }
  bool waiting[64] = {};
};
INSTANTIATE_TYPED_TEST_SUITE_P(ClosesWhatWasOpened, FaultSourceSuite,
                               FaultSourceWorld<ClosesWhatWasOpened>);

// must fail: ForgetsTheLastToClose WhatIsClosedLaterIsClosedWithTheRest
struct ForgetsTheLastToClose : sim::SoftwareFaultSource {
  using SoftwareFaultSource::SoftwareFaultSource;
  void close_later(PageIndex first, std::uint32_t count) noexcept {
    protect(first, count - 1, Rights::kNone);
  }
  void close_now() noexcept {}
};
INSTANTIATE_TYPED_TEST_SUITE_P(ForgetsTheLastToClose, FaultSourceSuite,
                               FaultSourceWorld<ForgetsTheLastToClose>);

}  // namespace plurix::conformance

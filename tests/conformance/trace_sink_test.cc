// The trace sinks against the common suite.
#include <plurix/conformance/trace_sink_suite.h>
#include <plurix/sim/machine.h>

#include <cstdio>

#include "tools/plurix/trace_ring.h"

namespace plurix::conformance {
namespace {

struct NullWorld {
  NullTraceSink& sink() { return sink_; }
  std::optional<std::vector<TraceRecord>> kept() { return std::nullopt; }

 private:
  NullTraceSink sink_;
};

class DigestWorld {
 public:
  DigestWorld() { trace_.keep = 100; }

  sim::DigestTraceSink& sink() { return sink_; }
  std::optional<std::vector<TraceRecord>> kept() {
    std::vector<TraceRecord> records;
    for (const auto& timed : trace_.newest) records.push_back(timed.record);
    return records;
  }

 private:
  sim::Scheduler scheduler_;
  sim::RunTrace trace_;
  sim::DigestTraceSink sink_{trace_, scheduler_};
};

class RingWorld {
 public:
  tool::TraceRing& sink() { return ring_; }

  std::optional<std::vector<TraceRecord>> kept() {
    std::FILE* file = std::tmpfile();
    EXPECT_TRUE(file != nullptr && ring_.write(file));
    std::rewind(file);
    std::vector<TraceRecord> records(tool::TraceRing::kRecords);
    records.resize(std::fread(records.data(), sizeof(TraceRecord), records.size(), file));
    std::fclose(file);
    return records;
  }

 private:
  tool::TraceRing ring_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Null, TraceSinkSuite, NullWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Digest, TraceSinkSuite, DigestWorld);
INSTANTIATE_TYPED_TEST_SUITE_P(Ring, TraceSinkSuite, RingWorld);

// Everything that is recorded is in the digest, whether it is kept or not.
TEST(DigestTraceSink, TellsRunsApartThatDifferInOneFieldOfOneRecord) {
  const auto digest_of = [](const TraceRecord& changed) {
    sim::Scheduler scheduler;
    sim::RunTrace trace;
    sim::DigestTraceSink sink(trace, scheduler);
    sink.record(trace_record(1));
    sink.record(changed);
    sink.record(trace_record(3));
    return trace.digest;
  };
  const auto same = trace_record(2);
  auto other = same;
  other.b ^= 1;
  EXPECT_EQ(digest_of(same), digest_of(trace_record(2)));
  EXPECT_NE(digest_of(same), digest_of(other));
}

}  // namespace
}  // namespace plurix::conformance

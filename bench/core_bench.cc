// What the parts cost alone, in one process, without a network: the price list for reading the
// other benchmarks.
#include "support/node.h"
#include "support/wire_pair.h"

#include <plurix/base/crc32c.h>
#include <plurix/sim/run.h>

#include <benchmark/benchmark.h>

#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace plurix::bench {
namespace {

constexpr std::size_t kPages = 512;
using Arena = Pages<kPages>;

// A node without peers, with its pages in place.
struct Alone {
  posix::Node node{node_options(fresh_cluster(), true)};
  std::uint64_t offset = node.run([](Transaction& t) { return t.root<Arena>("pages").offset(); });
};

void empty_transaction(benchmark::State& state) {
  Alone alone;
  for (auto _ : state) alone.node.run([](Transaction&) {});
}
BENCHMARK(empty_transaction);

void transaction_of_one_page_by_mut(benchmark::State& state) {
  Alone alone;
  for (auto _ : state) {
    alone.node.run(
        [&](Transaction& t) { ++t.at<Arena>(alone.offset).element(&Arena::page, 0).mut()->word; });
  }
}
BENCHMARK(transaction_of_one_page_by_mut);

void ref_read_again(benchmark::State& state) {
  Alone alone;
  alone.node.run([&](Transaction& t) {
    const auto page = t.at<Arena>(alone.offset).element(&Arena::page, 0);
    for (auto _ : state) benchmark::DoNotOptimize(page->word);
  });
}
BENCHMARK(ref_read_again);

void ref_mut_again(benchmark::State& state) {
  Alone alone;
  alone.node.run([&](Transaction& t) {
    const auto page = t.at<Arena>(alone.offset).element(&Arena::page, 0);
    for (auto _ : state) benchmark::DoNotOptimize(++page.mut()->word);
  });
}
BENCHMARK(ref_mut_again);

// The first access to each page of an attempt, a page each item.
template <class Touch>
void first_access(benchmark::State& state, Touch touch) {
  Alone alone;
  for (auto _ : state) {
    alone.node.run([&](Transaction& t) {
      const auto arena = t.at<Arena>(alone.offset);
      for (std::size_t i = 0; i < kPages; ++i) touch(arena.element(&Arena::page, i));
    });
  }
  state.SetItemsProcessed(state.iterations() * kPages);
}

void first_read(benchmark::State& state) {
  first_access(state, [](const auto& page) { benchmark::DoNotOptimize(page->word); });
}
BENCHMARK(first_read);

void first_write_by_mut(benchmark::State& state) {
  first_access(state, [](const auto& page) { ++page.mut()->word; });
}
BENCHMARK(first_write_by_mut);

void step_of_an_idle_timer(benchmark::State& state) {
  WirePair pair;
  for (auto _ : state) {
    benchmark::DoNotOptimize(pair.step_alone(0, event::TimerExpired{}).empty());
  }
}
BENCHMARK(step_of_an_idle_timer);

const Action& first_of(const ActionList& actions) {
  if (actions.empty()) throw std::runtime_error("a step did nothing");
  return actions.view().front();
}

// The owner's part of a fault: check the request's frame, find the page, make the reply's frame.
void step_of_a_page_request(benchmark::State& state) {
  WirePair pair;
  constexpr PageIndex kPage = 100;
  pair.step(0, event::AttemptBegun{});
  pair.step(0, event::LocalFault{kPage, Access::kWrite, false});
  pair.step(0, event::CommitWanted{0});
  pair.let_time_pass_until([&] { return !pair.core(0).attempt().active(); });
  pair.step(1, event::AttemptBegun{});
  const auto& asked = pair.step_alone(1, event::LocalFault{kPage, Access::kRead, true});
  const auto request = WirePair::frame_of(first_of(asked));
  for (auto _ : state) {
    const auto& answered = pair.step_alone(0, event::FrameArrived{request, WirePair::endpoint(1)});
    if (first_of(answered).payload.size() != kPageSize) {
      throw std::runtime_error("the page was not served");
    }
  }
}
BENCHMARK(step_of_a_page_request);

void crc32c_of_a_page(benchmark::State& state) {
  std::vector<std::byte> page(kPageSize, std::byte{7});
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(page));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kPageSize));
}
BENCHMARK(crc32c_of_a_page);

void check_of_a_frame(benchmark::State& state, std::size_t body_bytes) {
  const std::vector<std::byte> body(body_bytes);
  wire::FrameHeader header;
  wire::finish_frame(header, body, {});
  std::vector<std::byte> frame(sizeof header + body_bytes);
  std::memcpy(frame.data(), &header, sizeof header);
  for (auto _ : state) {
    wire::FrameView view;
    if (wire::check_frame(frame, view) != wire::DropReason::kNone) {
      throw std::runtime_error("a good frame was dropped");
    }
    benchmark::DoNotOptimize(view);
  }
}
BENCHMARK_CAPTURE(check_of_a_frame, page_request, sizeof(wire::PageRequest));
BENCHMARK_CAPTURE(check_of_a_frame, page_reply, sizeof(wire::PageReply) + kPageSize);

void simulator_events(benchmark::State& state) {
  std::uint64_t events = 0;
  for (auto _ : state) {
    Prng prng(1);
    sim::RunOptions options;
    events += sim::run<Fair>(sim::random_program(5, 200, prng), options).events;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
}
BENCHMARK(simulator_events)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace plurix::bench

int main(int argc, char** argv) {
  // --json as in the other benchmarks.
  static char json[] = "--benchmark_format=json";
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") argv[i] = json;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}

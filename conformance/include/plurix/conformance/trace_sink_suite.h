// What every TraceSink promises, as one typed suite. A model joins with a World:
//
//   struct MyWorld {
//     MySink& sink();
//     std::optional<std::vector<TraceRecord>> kept();   // the newest ones, oldest first; nothing
//     if
//   };                                                  // the sink keeps no records
//   INSTANTIATE_TYPED_TEST_SUITE_P(My, TraceSinkSuite, MyWorld);   // in namespace
//                                                                  // plurix::conformance
#pragma once

#include <plurix/concepts/trace_sink.h>

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace plurix::conformance {

inline TraceRecord trace_record(std::uint32_t number) {
  return {.commit_time = number,
          .local_ns = std::int64_t{1'000} * number,
          .page = number * 7,
          .node = static_cast<std::uint16_t>(number % kMaxNodes),
          .kind = static_cast<TraceKind>(1 + number % 21),
          .flags = static_cast<std::uint8_t>(number),
          .a = ~number,
          .b = number};
}

template <class World>
class TraceSinkSuite : public ::testing::Test {
 protected:
  using Model = std::remove_reference_t<decltype(std::declval<World&>().sink())>;
  static_assert(TraceSink<Model>);

  void record(std::uint32_t first, std::uint32_t count) {
    for (auto i = first; i < first + count; ++i) world_.sink().record(trace_record(i));
  }
  World& world() { return world_; }

  /// Whether what is kept ends with record `last` and has all before it, in order.
  void expect_kept_up_to(std::uint32_t last) {
    const auto kept = world_.kept();
    if (!kept) GTEST_SKIP() << "it keeps no records";
    ASSERT_FALSE(kept->empty());
    auto number = last + 1 - static_cast<std::uint32_t>(kept->size());
    for (const auto& seen : *kept) {
      const auto expected = trace_record(number);
      ASSERT_EQ(std::memcmp(&seen, &expected, sizeof seen), 0) << "record " << number;
      ++number;
    }
  }

 private:
  World world_;
};

TYPED_TEST_SUITE_P(TraceSinkSuite);

TYPED_TEST_P(TraceSinkSuite, KeepsRecordsUnchangedAndInOrder) {
  this->record(1, 20);
  this->expect_kept_up_to(20);
}

TYPED_TEST_P(TraceSinkSuite, TakesAnyNumberOfRecordsAndKeepsTheNewest) {
  this->record(1, 500'000);
  this->expect_kept_up_to(500'000);
}

REGISTER_TYPED_TEST_SUITE_P(TraceSinkSuite, KeepsRecordsUnchangedAndInOrder,
                            TakesAnyNumberOfRecordsAndKeepsTheNewest);

}  // namespace plurix::conformance

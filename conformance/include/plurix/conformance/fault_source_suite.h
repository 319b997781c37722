// What every FaultSource promises, as one typed suite. A model joins with a World:
//
//   struct MyWorld {
//     MySource& source();                                     // of at least 64 pages
//     std::byte read(PageIndex, std::size_t offset);          // as the application does, through
//     void write(PageIndex, std::size_t offset, std::byte);   // the view, with what checks it
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(My, FaultSourceSuite, MyWorld);   // in namespace
//                                                                    // plurix::conformance
//
// Where the machine leaves a body by itself, the World also has
//
//     template <class Body> bool attempt(Body body);   // runs it; false when it was restarted
//
// and what does not work here is skipped if the World says why (empty: it works):
//
//     static std::string why_unavailable();
//     static std::string why_no_restart();
#pragma once

#include <plurix/base/bounded_vector.h>
#include <plurix/base/prng.h>
#include <plurix/concepts/fault_source.h>

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <optional>

namespace plurix::conformance {

struct SeenFault {
  PageIndex page;
  Access access;

  friend constexpr bool operator==(const SeenFault&, const SeenFault&) noexcept = default;
};

/// A fault handler that opens the page as far as the access needs, or gives another verdict.
template <class Source>
class RecordingHandler {
 public:
  explicit RecordingHandler(Source& source) : source_(source) { source.on_fault({call, this}); }

  void answer(FaultVerdict verdict) { verdict_ = verdict; }
  void forget() { faults_.clear(); }
  std::size_t count() const { return faults_.size(); }
  SeenFault last() const { return faults_[faults_.size() - 1]; }

 private:
  static FaultVerdict call(void* self, PageIndex page, Access access) noexcept {
    auto& handler = *static_cast<RecordingHandler*>(self);
    PLURIX_ASSERT(handler.faults_.push({page, access}));
    if (handler.verdict_ == FaultVerdict::kResume) {
      handler.source_.protect(page, 1, access == Access::kRead ? Rights::kRead : Rights::kWrite);
    }
    return handler.verdict_;
  }

  Source& source_;
  FaultVerdict verdict_ = FaultVerdict::kResume;
  BoundedVector<SeenFault, 1024> faults_;
};

template <class World>
class FaultSourceSuite : public ::testing::Test {
 protected:
  void SetUp() override {
    if constexpr (requires { World::why_unavailable(); }) {
      if (const auto why = World::why_unavailable(); !why.empty()) GTEST_SKIP() << why;
    }
    world_.emplace();
    handler_.emplace(world_->source());
  }

  using Source = std::remove_reference_t<decltype(std::declval<World&>().source())>;
  static_assert(FaultSource<Source>);

  World& world() { return *world_; }
  Source& source() { return world_->source(); }
  RecordingHandler<Source>& faults() { return *handler_; }
  std::byte& frame(PageIndex page, std::size_t offset = 0) {
    return source().frames()[std::size_t{page} * kPageSize + offset];
  }

 private:
  std::optional<World> world_;
  std::optional<RecordingHandler<Source>> handler_;
};

TYPED_TEST_SUITE_P(FaultSourceSuite);

TYPED_TEST_P(FaultSourceSuite, APageIsClosedAtFirst) {
  EXPECT_EQ(this->world().read(3, 0), std::byte{0});
  EXPECT_EQ(this->faults().count(), 1U);
}

TYPED_TEST_P(FaultSourceSuite, WhatTheProtocolWritesIsSeenThroughTheView) {
  this->frame(5, 17) = std::byte{0x5a};
  this->source().protect(5, 1, Rights::kRead);
  EXPECT_EQ(this->world().read(5, 17), std::byte{0x5a});
  this->frame(5, 17) = std::byte{0x5b};
  EXPECT_EQ(this->world().read(5, 17), std::byte{0x5b});
}

TYPED_TEST_P(FaultSourceSuite, WhatTheApplicationWritesIsSeenInTheFrames) {
  this->world().write(6, 4095, std::byte{0x77});
  EXPECT_EQ(this->frame(6, 4095), std::byte{0x77});
}

TYPED_TEST_P(FaultSourceSuite, AForbiddenReadIsReportedOnceAndResumes) {
  this->frame(7) = std::byte{42};
  EXPECT_EQ(this->world().read(7, 0), std::byte{42});
  ASSERT_EQ(this->faults().count(), 1U);
  EXPECT_EQ(this->faults().last(), (SeenFault{7, Access::kRead}));
  EXPECT_EQ(this->world().read(7, 100), std::byte{0});
  EXPECT_EQ(this->faults().count(), 1U);
}

TYPED_TEST_P(FaultSourceSuite, AForbiddenWriteIsReportedOnceAndResumes) {
  this->world().write(8, 12, std::byte{9});
  ASSERT_EQ(this->faults().count(), 1U);
  EXPECT_EQ(this->faults().last(), (SeenFault{8, Access::kWrite}));
  this->world().write(8, 13, std::byte{10});
  EXPECT_EQ(this->world().read(8, 12), std::byte{9});
  EXPECT_EQ(this->faults().count(), 1U);
}

TYPED_TEST_P(FaultSourceSuite, TheFirstWriteToAReadablePageIsReportedAsWrite) {
  this->source().protect(9, 1, Rights::kRead);
  this->world().read(9, 0);
  EXPECT_EQ(this->faults().count(), 0U);
  this->world().write(9, 0, std::byte{1});
  ASSERT_EQ(this->faults().count(), 1U);
  EXPECT_EQ(this->faults().last(), (SeenFault{9, Access::kWrite}));
}

TYPED_TEST_P(FaultSourceSuite, OnlyThePagesOfARangeGetItsRights) {
  this->source().protect(10, 4, Rights::kWrite);
  for (PageIndex page = 10; page < 14; ++page) this->world().write(page, 0, std::byte{1});
  EXPECT_EQ(this->faults().count(), 0U);
  this->world().read(9, 4095);
  this->world().read(14, 0);
  EXPECT_EQ(this->faults().count(), 2U);
}

TYPED_TEST_P(FaultSourceSuite, TakingWriteRightsAwayTrapsTheNextWrite) {
  this->world().write(20, 0, std::byte{1});
  this->source().protect(20, 1, Rights::kRead);
  EXPECT_EQ(this->world().read(20, 0), std::byte{1});
  EXPECT_EQ(this->faults().count(), 1U);
  this->world().write(20, 0, std::byte{2});
  EXPECT_EQ(this->faults().count(), 2U);
  EXPECT_EQ(this->frame(20), std::byte{2});
}

TYPED_TEST_P(FaultSourceSuite, TakingAllRightsAwayTrapsTheNextReadAndKeepsTheFrame) {
  for (const auto before : {Rights::kRead, Rights::kWrite}) {
    const auto page = before == Rights::kRead ? PageIndex{21} : PageIndex{22};
    this->frame(page) = std::byte{33};
    this->source().protect(page, 1, before);
    EXPECT_EQ(this->world().read(page, 0), std::byte{33});
    this->source().protect(page, 1, Rights::kNone);
    const auto count = this->faults().count();
    EXPECT_EQ(this->world().read(page, 0), std::byte{33});
    ASSERT_EQ(this->faults().count(), count + 1);
    EXPECT_EQ(this->faults().last(), (SeenFault{page, Access::kRead}));
  }
}

// One call over a range whose pages differ, for each pair of rights, all of them neighbours once.
TYPED_TEST_P(FaultSourceSuite, AMixedRangeIsMadeUniform) {
  constexpr Rights kAll[] = {Rights::kNone, Rights::kRead, Rights::kWrite};
  for (const auto target : kAll) {
    for (PageIndex page = 0; page < 64; ++page) {
      this->source().protect(page, 1, kAll[(page * 7 + page / 9) % 3]);
    }
    this->source().protect(1, 62, target);
    for (PageIndex page = 1; page < 63; ++page) {
      const auto before = this->faults().count();
      this->world().read(page, 8);
      EXPECT_EQ(this->faults().count() - before, target == Rights::kNone ? 1U : 0U) << page;
      this->source().protect(page, 1, target);
      const auto before_write = this->faults().count();
      this->world().write(page, 8, std::byte{1});
      EXPECT_EQ(this->faults().count() - before_write, target == Rights::kWrite ? 0U : 1U) << page;
    }
  }
}

TYPED_TEST_P(FaultSourceSuite, RandomRightsAreObeyedPageByPage) {
  std::array<Rights, 64> expected = {};
  Prng prng(1);
  const auto next = [&prng](std::uint32_t bound) {
    return static_cast<std::uint32_t>(prng.below(bound));
  };
  for (int round = 0; round < 300; ++round) {
    const auto first = next(64);
    const auto count = next(64 - first) + 1;
    const auto rights = static_cast<Rights>(next(3));
    this->source().protect(first, count, rights);
    for (auto page = first; page < first + count; ++page) expected[page] = rights;
    const auto page = next(64);
    const auto access = next(2) == 0 ? Access::kRead : Access::kWrite;
    const auto before = this->faults().count();
    const bool allowed = access == Access::kRead ? expected[page] != Rights::kNone
                                                 : expected[page] == Rights::kWrite;
    if (access == Access::kRead) {
      this->world().read(page, 0);
    } else {
      this->world().write(page, 0, std::byte{1});
    }
    ASSERT_EQ(this->faults().count() - before, allowed ? 0U : 1U) << "round " << round;
    if (!allowed) expected[page] = access == Access::kRead ? Rights::kRead : Rights::kWrite;
  }
}

// Pages to be closed later are given other rights meanwhile, named twice, and closed at once; there
// are more runs of them than a source may remember.
TYPED_TEST_P(FaultSourceSuite, WhatIsClosedLaterIsClosedWithTheRest) {
  if constexpr (!ClosesTogether<typename TestFixture::Source>) {
    GTEST_SKIP() << "closes at once";
  } else {
    std::array<Rights, 64> expected = {};
    Prng prng(1);
    const auto next = [&prng](std::uint32_t bound) {
      return static_cast<std::uint32_t>(prng.below(bound));
    };
    for (int round = 0; round < 100; ++round) {
      const auto changes = round % 10 == 0 ? 2000U : next(30);
      for (std::uint32_t change = 0; change < changes; ++change) {
        const auto first = next(64);
        const auto count = std::min(next(next(2) == 0 ? 2 : 20) + 1, 64 - first);
        const auto rights = next(3) == 0 ? static_cast<Rights>(next(3)) : Rights::kNone;
        if (rights == Rights::kNone && next(8) != 0) {
          this->source().close_later(first, count);
        } else {
          this->source().protect(first, count, rights);
        }
        for (auto page = first; page < first + count; ++page) expected[page] = rights;
      }
      this->source().close_now();
      for (PageIndex page = 0; page < 64; ++page) {
        const auto before = this->faults().count();
        this->world().read(page, 0);
        ASSERT_EQ(this->faults().count() - before, expected[page] == Rights::kNone ? 1U : 0U)
            << "page " << page << " in round " << round;
        if (next(2) == 0) this->world().write(page, 0, std::byte{1});
        this->source().protect(page, 1, expected[page]);
      }
      this->faults().forget();
    }
  }
}

TYPED_TEST_P(FaultSourceSuite, TheVerdictRestartLeavesTheBody) {
  if constexpr (requires { TypeParam::why_no_restart(); }) {
    if (const auto why = TypeParam::why_no_restart(); !why.empty()) GTEST_SKIP() << why;
  }
  if constexpr (!requires { this->world().attempt([] {}); }) {
    GTEST_SKIP() << "whoever checks the accesses leaves the body";
  } else {
    this->faults().answer(FaultVerdict::kRestart);
    for (int time = 0; time < 3; ++time) {
      volatile bool went_on = false;
      EXPECT_FALSE(this->world().attempt([&] {
        this->world().write(30, 0, std::byte{1});
        went_on = true;
      }));
      EXPECT_FALSE(went_on);
    }
    EXPECT_EQ(this->faults().count(), 3U);
    EXPECT_EQ(this->frame(30), std::byte{0});
    this->faults().answer(FaultVerdict::kResume);
    EXPECT_TRUE(this->world().attempt([&] { this->world().write(30, 0, std::byte{1}); }));
    EXPECT_EQ(this->frame(30), std::byte{1});
  }
}

REGISTER_TYPED_TEST_SUITE_P(
    FaultSourceSuite, APageIsClosedAtFirst, WhatTheProtocolWritesIsSeenThroughTheView,
    WhatTheApplicationWritesIsSeenInTheFrames, AForbiddenReadIsReportedOnceAndResumes,
    AForbiddenWriteIsReportedOnceAndResumes, TheFirstWriteToAReadablePageIsReportedAsWrite,
    OnlyThePagesOfARangeGetItsRights, TakingWriteRightsAwayTrapsTheNextWrite,
    TakingAllRightsAwayTrapsTheNextReadAndKeepsTheFrame, AMixedRangeIsMadeUniform,
    RandomRightsAreObeyedPageByPage, WhatIsClosedLaterIsClosedWithTheRest,
    TheVerdictRestartLeavesTheBody);

}  // namespace plurix::conformance

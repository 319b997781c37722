// The PageServer hears what others say to each other, and keeps the pages in it: what it may keep,
// and what an image takes from it. Core 0 is the PageServer.
#include <gtest/gtest.h>

#include <map>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

class Snooping : public ::testing::Test {
 protected:
  Snooping() : Snooping(WiredOptions::with_page_server()) {}
  explicit Snooping(const CoreConfig& core) : net_({.nodes = 4, .core = core}) {
    net_.pass(milliseconds(1'000));
    net_.keep_images([this](std::size_t, const Action& action) { on(action); });
  }

  void on(const Action& action) {
    if (action.kind == ActionKind::kImagePage) {
      Value value = 0;
      std::memcpy(&value, action.payload.data(), sizeof value);
      EXPECT_TRUE(image_.emplace(action.page, value).second) << action.page << " twice";
    }
    if (action.kind != ActionKind::kImageEnd) return;
    ended_ = true;
    snooped_ = action.page;
    known_ = action.count;
  }

  /// Core `n` fetches a page; the answer is taken off the wire.
  Flight reply_to(std::size_t n, PageIndex page) {
    net_.begin(n);
    net_.load(n, page);
    net_.deliver_first({.from = n, .type = MessageType::kPageRequest});
    return net_.take({.to = n, .type = MessageType::kPageReply});
  }
  void finish(std::size_t n, const Flight& reply) {
    net_.deliver(reply);
    net_.end(n);
  }

  void overhear(const Flight& flight, std::size_t listener = 0) {
    net_.step(listener, event::FrameOverheard{flight.bytes, net_.endpoint(flight.from)});
  }

  /// Core `n` fetches a page, and the PageServer overhears the answer.
  void fetch_overheard(std::size_t n, PageIndex page) {
    const auto reply = reply_to(n, page);
    overhear(reply);
    finish(n, reply);
  }

  void begin_image() {
    net_.step(0, event::ImageWanted{false});
    for (int i = 0; i < 100 && !net_.core(0).imaging().busy(); ++i) net_.pass(microseconds(10));
  }
  void end_image() {
    for (int i = 0; i < 200 && !ended_; ++i) {
      net_.release();
      net_.pass(milliseconds(1));
    }
    ASSERT_TRUE(ended_);
  }
  void hold_requests() {
    net_.rule({.from = 0, .type = MessageType::kImageRequest}, Fate::kIsHeld, 1000);
  }

  using Image = std::map<PageIndex, Value>;
  const CoreCounters& counters(std::size_t n = 0) const { return net_.counters(n); }

  WiredCores net_;
  Image image_;
  PageIndex known_ = 0;
  PageIndex snooped_ = 0;
  bool ended_ = false;
};

TEST_F(Snooping, MakesAPageKnownThatWentToAnother) {
  net_.commit(1, {4, 5}, 40);
  fetch_overheard(2, 4);
  EXPECT_EQ(counters().pages_snooped, 1u);
  begin_image();
  end_image();
  EXPECT_EQ(image_, (Image{{4, 40}, {5, 40}}));
  EXPECT_EQ(known_, 1u);
  EXPECT_EQ(snooped_, 1u);
  EXPECT_EQ(counters(1).image_pages_sent, 1u);
}

TEST_F(Snooping, CountsWhatWasFetchedAsKnownOnly) {
  net_.commit(1, {4, 5}, 40);
  EXPECT_EQ(net_.read(0, 4), 40u);
  fetch_overheard(2, 4);
  begin_image();
  end_image();
  EXPECT_EQ(known_, 1u);
  EXPECT_EQ(snooped_, 0u);
}

TEST_F(Snooping, GivesTheApplicationThePageWithoutAMessage) {
  net_.commit(1, {4}, 40);
  fetch_overheard(2, 4);
  const auto fetches = counters().fetches;
  EXPECT_EQ(net_.read(0, 4), 40u);
  EXPECT_EQ(counters().fetches, fetches);
  net_.commit(2, {4}, 41);
  EXPECT_EQ(net_.read(0, 4), 41u);
}

TEST_F(Snooping, TakesNoPageThatWasWrittenSinceItWasSent) {
  net_.commit(1, {4}, 40);
  const auto reply = reply_to(2, 4);
  net_.commit(1, {4}, 41);
  overhear(reply);
  finish(2, reply);
  EXPECT_EQ(counters().snooped_stale, 1u);
  EXPECT_EQ(net_.read(0, 4), 41u);
  begin_image();
  end_image();
  EXPECT_EQ(image_, (Image{{4, 41}}));
}

TEST_F(Snooping, TakesNoPageFromWhoDoesNotOwnItAnyMore) {
  net_.commit(1, {4}, 40);
  const auto reply = reply_to(2, 4);
  net_.commit(3, {4}, 41);
  overhear(reply);
  finish(2, reply);
  EXPECT_EQ(counters().pages_snooped, 0u);
  EXPECT_EQ(net_.read(0, 4), 41u);
}

// As somebody who follows the protocol never sends it.
TEST_F(Snooping, TakesNoPageFromWhoNeverOwnedIt) {
  net_.commit(1, {4}, 40);
  auto reply = reply_to(2, 4);
  auto header = reply.header();
  header.sender = 3;
  header.incarnation = net_.core(3).core().incarnation;
  const auto body = Bytes(reply.bytes).subspan(sizeof header);
  wire::finish_frame(header, body, {});
  std::memcpy(reply.bytes.data(), &header, sizeof header);
  reply.from = 3;
  overhear(reply);
  EXPECT_EQ(counters().snooped_stale, 1u);
  EXPECT_FALSE(net_.core(0).is_present(4));
}

TEST_F(Snooping, LosesThePageWithTheNextCommitThatWritesIt) {
  net_.commit(1, {4}, 40);
  fetch_overheard(2, 4);
  net_.commit(3, {4}, 41);
  begin_image();
  end_image();
  EXPECT_EQ(image_, (Image{{4, 41}}));
  EXPECT_EQ(known_, 0u);
}

TEST_F(Snooping, TakesNoPageOfTheFuture) {
  net_.commit(1, {4}, 40);
  net_.rule({.to = 0, .type = MessageType::kCommitNotice}, Fate::kIsHeld, 1);
  net_.begin(1);
  ASSERT_TRUE(net_.store(1, 4, 41));
  net_.want_commit(1);
  net_.deliver_all();
  ASSERT_LT(net_.applied(0), net_.applied(1));
  fetch_overheard(2, 4);
  EXPECT_EQ(counters().snooped_early, 1u);
  EXPECT_EQ(counters().pages_snooped, 0u);
  net_.release();
  net_.deliver_all();
  EXPECT_EQ(net_.read(0, 4), 41u);
}

TEST_F(Snooping, IsThePageServersBusinessOnly) {
  net_.commit(1, {4}, 40);
  const auto reply = reply_to(2, 4);
  overhear(reply, 3);
  EXPECT_EQ(counters(3).pages_snooped, 0u);
  EXPECT_FALSE(net_.core(3).is_present(4));
}

TEST_F(Snooping, BelievesNoStrangerAndNothingDamaged) {
  net_.commit(1, {4}, 40);
  auto reply = reply_to(2, 4);
  net_.step(0, event::FrameOverheard{reply.bytes, net_.endpoint(7)});
  reply.bytes[100] ^= std::byte{1};
  overhear(reply);
  EXPECT_EQ(counters().pages_snooped, 0u);
  EXPECT_FALSE(net_.core(0).is_present(4));
}

TEST_F(Snooping, HearsNothingButPages) {
  net_.commit(1, {4}, 40);
  net_.begin(2);
  ASSERT_TRUE(net_.store(2, 5, 50));
  net_.want_commit(2);
  const auto request = net_.take({.from = 2, .type = MessageType::kTokenRequest});
  const auto before = net_.under_way().size();
  overhear(request);
  EXPECT_EQ(net_.under_way().size(), before);
  net_.deliver(request);
  net_.deliver_all();
}

TEST_F(Snooping, TakesNoPageOfAnotherEpoch) {
  net_.commit(1, {4}, 40);
  EXPECT_EQ(net_.read(3, 4), 40u);
  const auto reply = reply_to(2, 4);
  finish(2, reply);
  net_.cut_off(3, true);
  net_.pass(milliseconds(1'000));
  ASSERT_GT(net_.core(0).core().epoch, 1u);
  overhear(reply);
  EXPECT_EQ(counters().pages_snooped, 0u);
}

TEST_F(Snooping, LeavesAPageAloneThatIsOnItsWay) {
  net_.commit(1, {4}, 40);
  const auto reply = reply_to(2, 4);
  net_.begin(0);
  net_.load(0, 4);
  overhear(reply);
  EXPECT_FALSE(net_.core(0).is_present(4));
  net_.deliver_all();
  EXPECT_EQ(net_.load(0, 4), Value{40});
  ASSERT_TRUE(net_.store(0, 4, 41));
  finish(2, reply);
  EXPECT_EQ(net_.frame(0, 4), 41u);
}

TEST_F(Snooping, LeavesAnAbortedAttemptItsSnapshot) {
  net_.commit(1, {4}, 40);
  EXPECT_EQ(net_.read(0, 4), 40u);
  net_.begin(0);
  ASSERT_TRUE(net_.store(0, 4, 77));
  net_.commit(1, {4}, 41);
  ASSERT_TRUE(net_.core(0).attempt().doomed());
  fetch_overheard(2, 4);
  EXPECT_EQ(counters().pages_snooped, 0u);
  net_.end(0);
  EXPECT_EQ(net_.read(0, 4), 41u);
}

class SnoopingManyPages : public Snooping {
 protected:
  static constexpr PageIndex kFirst = 4;
  static constexpr PageIndex kLast = 60;  // more than an image collects in one turn

  SnoopingManyPages() : Snooping(large()) {}

  static CoreConfig large() {
    auto config = WiredOptions::with_page_server();
    config.geometry.pages = 64;
    config.shadow_pages = 64;
    return config;
  }
};

TEST_F(SnoopingManyPages, LeavesTheFrameToAnImageThatStillNeedsWhatItWas) {
  std::vector<PageIndex> pages;
  for (auto page = kFirst; page <= kLast; ++page) pages.push_back(page);
  net_.commit(1, pages, 40);
  for (const auto page : pages) ASSERT_EQ(net_.read(0, page), 40u);
  begin_image();
  net_.step(0, event::ImageHeld{true});
  ASSERT_FALSE(image_.contains(kLast));
  net_.commit(2, {kLast}, 42);
  fetch_overheard(3, kLast);
  EXPECT_EQ(counters().pages_snooped, 0u);
  net_.step(0, event::ImageHeld{false});
  end_image();
  EXPECT_EQ(image_[kLast], 40u);
}

TEST_F(Snooping, CompletesAnImageThatIsBeingTaken) {
  net_.commit(1, {4, 5}, 40);
  hold_requests();
  begin_image();
  fetch_overheard(2, 4);
  fetch_overheard(3, 5);
  net_.pass(microseconds(10));
  EXPECT_TRUE(ended_);
  EXPECT_EQ(image_, (Image{{4, 40}, {5, 40}}));
  EXPECT_EQ(snooped_, 2u);
  EXPECT_EQ(counters(1).image_pages_sent, 0u);
}

TEST_F(Snooping, GivesAnImageNothingThatWasWrittenBehindIt) {
  net_.commit(1, {4}, 40);
  hold_requests();
  begin_image();
  net_.commit(2, {4}, 42);
  fetch_overheard(3, 4);
  EXPECT_EQ(counters().pages_snooped, 1u);
  end_image();
  EXPECT_EQ(image_, (Image{{4, 40}}));
  EXPECT_EQ(snooped_, 0u);
}

}  // namespace
}  // namespace plurix::testing

// Fetching under the circumstances that are hard to meet by chance.
#include <gtest/gtest.h>

#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::MessageType;

constexpr Match kRequests{.type = MessageType::kPageRequest};
constexpr Match kReplies{.type = MessageType::kPageReply};

TEST(Fetching, APageThatNobodyEverWroteNeedsNobody) {
  // Also where pages behind it were written: nobody owns it, so nobody would answer.
  WiredCores net({.nodes = 2, .later = 1});
  net.commit(0, {9}, 90);
  for (const std::size_t n : {0u, 1u}) {
    net.begin(n);
    EXPECT_EQ(net.load(n, 4), Value{0});
    net.end(n);
  }
  net.join(2);
  net.begin(2);
  EXPECT_EQ(net.load(2, 4), Value{0});
  EXPECT_EQ(net.load(2, 9), std::nullopt);
  net.deliver_all();
  EXPECT_EQ(net.load(2, 9), Value{90});
}

TEST(Fetching, TakesTheReplyToItsOwnRequestOnly) {
  WiredCores net({.nodes = 2});
  net.commit(0, {4}, 40);
  net.begin(1);
  net.load(1, 4);
  net.rule(kReplies, Fate::kIsCopied, 1);
  net.deliver_all();
  ASSERT_EQ(net.load(1, 4), Value{40});
  net.end(1);
  net.commit(0, {4}, 41);
  net.begin(1);
  net.load(1, 4);
  net.lose(kRequests);
  net.release();  // the copy of the first reply
  net.deliver_all();
  EXPECT_EQ(net.load(1, 4), std::nullopt);
  net.pass(milliseconds(5));
  EXPECT_EQ(net.load(1, 4), Value{41});
}

TEST(Fetching, DoesNotMapALateReplyOfAPageThatHasMoved) {
  WiredCores net({.nodes = 3});
  net.commit(0, {4}, 40);
  net.begin(1);
  net.load(1, 4);
  net.deliver_first(kRequests);
  const auto late = net.take(kReplies);
  net.rule({.from = 1, .type = MessageType::kPageRequest}, Fate::kIsLost, 3);
  net.commit(2, {4}, 41);
  ASSERT_EQ(net.applied(1), net.applied(2));
  net.deliver(late);
  EXPECT_EQ(net.load(1, 4), std::nullopt);
  EXPECT_EQ(net.counters(1).replies_stale, 1u);
  net.pass(milliseconds(50));
  EXPECT_EQ(net.load(1, 4), Value{41});
}

TEST(Fetching, FindsAPageWhoseOwnerIsNotTheOneItTakesForIt) {
  WiredCores net({.nodes = 3});
  net.commit(0, {4}, 40);
  net.rule({.from = 1, .to = 2, .type = MessageType::kCommitNotice}, Fate::kIsLost, 1);
  net.commit(1, {4}, 41);
  EXPECT_EQ(net.core(2).directory().owner_hint(4), 0);
  net.begin(2);
  net.load(2, 4);
  net.deliver_all();
  EXPECT_EQ(net.load(2, 4), Value{41});
  EXPECT_EQ(net.counters(0).redirects, 1u);
}

TEST(Fetching, FindsAPageWhenWhoItAsksNeverAnswers) {
  WiredCores net({.nodes = 3});
  net.commit(0, {4}, 40);
  net.rule({.from = 2, .to = 1, .type = MessageType::kCommitNotice}, Fate::kIsLost, 1);
  net.commit(2, {4}, 41);
  net.freeze(0, true);  // the presumed owner
  net.begin(1);
  net.load(1, 4);
  net.pass(milliseconds(50));
  EXPECT_EQ(net.load(1, 4), Value{41});
}

TEST(Fetching, OfMorePagesThanItsTableHoldsComesToAnEnd) {
  WiredCores net({.nodes = 2});
  constexpr std::uint32_t kPages = Paging::kMaxFetches + 4;
  for (PageIndex page = 0; page < kPages; ++page) net.commit(0, {page}, page + 100);
  net.begin(1);
  for (PageIndex page = 0; page < kPages; ++page) net.load(1, page);
  EXPECT_EQ(net.count(kRequests), Paging::kMaxFetches);
  net.deliver_all();
  for (PageIndex page = 0; page < kPages; ++page) {
    if (net.load(1, page) != Value{page + 100}) net.deliver_all();
    EXPECT_EQ(net.load(1, page), Value{page + 100});
  }
}

TEST(Fetching, OfMorePagesThanShadowPagesIsFineAndWritingThemIsNot) {
  WiredCores net({.nodes = 1});
  const auto shadows = net.core(0).core().config.shadow_pages;
  net.begin(0);
  for (PageIndex page = 0; page < 32; ++page) EXPECT_EQ(net.load(0, page), Value{0});
  for (PageIndex page = 0; page < shadows; ++page) EXPECT_TRUE(net.store(0, page, 1));
  EXPECT_FALSE(net.core(0).out_of_shadows());
  EXPECT_FALSE(net.store(0, shadows, 1));
  EXPECT_TRUE(net.core(0).out_of_shadows());
}

// ---- accesses that take no event

TEST(RecordingAnAccess, OfAPageThatIsHereIsWhatALocalFaultDoes) {
  WiredCores net({.nodes = 2});
  net.commit(0, {4, 5}, 40);
  const auto& attempt = net.core(0).attempt();
  net.begin(0);
  EXPECT_TRUE(net.record(0, 4, Access::kRead));
  EXPECT_TRUE(attempt.has_read(4));
  EXPECT_FALSE(attempt.has_written(4));
  EXPECT_TRUE(net.record(0, 5, Access::kWrite));
  EXPECT_TRUE(attempt.has_read(5));
  EXPECT_TRUE(attempt.has_written(5));
  *reinterpret_cast<Value*>(net.frames(0) + 5 * kPageSize) = 41;
  net.end(0);
  EXPECT_EQ(net.frame(0, 5), Value{40});
  net.begin(0);
  EXPECT_TRUE(net.record(0, 4, Access::kRead));
  net.commit(1, {4}, 42);
  EXPECT_TRUE(attempt.doomed());
}

TEST(RecordingAnAccess, TakesAnEventIfThePageIsNotHere) {
  WiredCores net({.nodes = 2});
  net.commit(0, {4}, 40);
  net.begin(1);
  EXPECT_FALSE(net.record(1, 4, Access::kRead));
  EXPECT_FALSE(net.record(1, 4, Access::kWrite));
  EXPECT_TRUE(net.core(1).attempt().read_set().empty());
  EXPECT_TRUE(net.under_way().empty());
}

TEST(RecordingAnAccess, TakesAnEventIfThePageIsToBeMapped) {
  WiredCores net({.nodes = 1});
  net.commit(0, {4}, 40);
  net.begin(0);
  ASSERT_EQ(net.rights(0, 4), Rights::kRead);
  EXPECT_TRUE(net.record(0, 4, Access::kRead, Rights::kRead));
  EXPECT_FALSE(net.record(0, 4, Access::kWrite, Rights::kWrite));
  EXPECT_FALSE(net.core(0).attempt().has_written(4));
  ASSERT_TRUE(net.store(0, 4, 41));
  EXPECT_TRUE(net.record(0, 4, Access::kWrite, Rights::kWrite));
}

TEST(RecordingAnAccess, TakesAnEventIfTheAttemptIsDoomedOrHasNoShadowPage) {
  WiredCores net({.nodes = 2});
  net.begin(0);
  const auto shadows = net.core(0).core().config.shadow_pages;
  for (PageIndex page = 0; page < shadows; ++page) ASSERT_TRUE(net.store(0, page, 1));
  EXPECT_EQ(net.load(0, shadows), Value{0});
  EXPECT_FALSE(net.record(0, shadows, Access::kWrite));
  EXPECT_FALSE(net.core(0).out_of_shadows()) << "only the event says so";
  net.commit(1, {4}, 42);
  EXPECT_FALSE(net.record(0, shadows, Access::kRead));
}

}  // namespace
}  // namespace plurix::testing

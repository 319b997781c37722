// What a PageServer does with its store when its node tells it of images; the node is a stand-in.
#include <gtest/gtest.h>
#include <plurix/checkpoint/page_server.h>
#include <plurix/checkpoint/policies.h>
#include <plurix/dsm/core_config.h>
#include <plurix/sim/memory_block_store.h>

#include <functional>
#include <utility>

#include "support/heap_images.h"

namespace plurix::checkpoint {
namespace {

using sim::MemoryBlockStore;
using testing::fill_page;
using testing::kTestIdentity;
using testing::small_segments;
using Store = ImageStore<MemoryBlockStore>;

/// A member that says what the test wants.
class StandIn {
 public:
  struct Core {
    bool in_service() const noexcept { return member; }
    bool member = true;
    bool image_asked = false;
    bool wants_image = false;
    Epoch epoch = 1;
    ClusterId cluster = kTestIdentity.cluster;
    std::uint32_t incarnation = 78;
    std::uint32_t peers = 1;
    NodeId self = 3;
    CoreConfig config;
    CommitTime applied;
    CommitTime durable;
  };
  struct Imaging {
    bool wants_token() const noexcept { return false; }
    bool stops_cluster() const noexcept { return stops; }
    std::uint32_t missing() const noexcept { return 2; }
    std::size_t asked_for() const noexcept { return 1; }
    bool stops = true;
  };
  struct Protocol {
    const Core& core() const noexcept { return of; }
    const Imaging& imaging() const noexcept { return images; }
    Core of;
    Imaging images;
  };

  void set_image_sink(const ImageSink& sink) noexcept { tell = sink; }
  const Protocol& protocol() const noexcept { return protocol_; }
  Instant now() const noexcept { return {}; }
  CommitTime commit_time() const noexcept { return {}; }
  void want_image(bool) noexcept {}
  void hold_image(bool on) noexcept { held = on; }
  void image_stored(bool durable) noexcept { stored = durable; }
  bool leave(Instant) noexcept {
    on_leave();
    return leaves;
  }
  template <class Work>
  auto undisturbed(Work&& work) {
    disturbable_ = false;
    struct Again {
      ~Again() { node.disturbable_ = true; }
      StandIn& node;
    } again{*this};
    return work();
  }
  /// An interrupt of the node's thread, in which a page comes if it is not kept out.
  void interrupt(const ImageEvent& event) noexcept {
    if (disturbable_) tell(event);
  }
  void work_on() noexcept { protocol_.images.stops = false; }
  Endpoint local_endpoint() const noexcept { return {}; }

  ImageSink tell;
  bool held = false;
  bool stored = false;
  bool leaves = true;
  std::function<void()> on_leave = [] {};
  Core& core() noexcept { return protocol_.of; }

 private:
  Protocol protocol_;
  bool disturbable_ = true;
};

/// While it looks what has finished, an interrupt comes.
class InterruptedDisk : public MemoryBlockStore {
 public:
  using MemoryBlockStore::MemoryBlockStore;

  std::uint64_t start_write(std::uint64_t offset, Bytes bytes) noexcept {
    EXPECT_FALSE(looking_) << "a write begins in the middle of another operation";
    return MemoryBlockStore::start_write(offset, bytes);
  }
  void poll() noexcept {
    if (!std::exchange(looking_, true)) on_poll();
    looking_ = false;
    MemoryBlockStore::poll();
  }
  std::function<void()> on_poll = [] {};

 private:
  bool looking_ = false;
};

class PageServerOf : public ::testing::Test {
 protected:
  PageServerOf() { EXPECT_EQ(store_.open(&kTestIdentity), ""); }

  /// Goes on until the superblock that names the image is on its way, and there gives it up.
  void give_up_late(std::uint64_t time) {
    alignas(8) std::byte page[kBlockSize];
    fill_page(time, Block{page});
    node_.tell({ImageEventKind::kBegin, 1, {time}, 20});
    node_.tell({ImageEventKind::kPage, 0, {}, 3, Bytes{page}});
    node_.tell({ImageEventKind::kEnd});
    while (store_.phase() < Store::Phase::kSuperblockUnderWay) store_.poll();
    node_.tell({ImageEventKind::kGivenUp});
  }

  /// What who starts with this store finds in it.
  Identity identity_on_disk() {
    Store again(disk_);
    EXPECT_EQ(again.open(), "");
    return again.identity();
  }

  void go_back_to(std::uint64_t time) {
    std::vector<std::byte> frames(20 * kBlockSize);
    node_.tell({ImageEventKind::kRestore, 0, {time}, 0, {}, frames.data()});
  }

  MemoryBlockStore disk_{7};
  Store store_{disk_, small_segments(4)};
  StandIn node_;
  PageServer<StandIn, MemoryBlockStore, Asynchronous> server_{node_, store_};
};

TEST_F(PageServerOf, AClusterThatGoesBackReadsWhatItHasNotGot) {
  alignas(8) std::byte page[kBlockSize];
  fill_page(1, Block{page});
  node_.tell({ImageEventKind::kBegin, 1, {5}, 20});
  for (PageIndex i = 3; i < 6; ++i) node_.tell({ImageEventKind::kPage, 0, {}, i, Bytes{page}});
  node_.tell({ImageEventKind::kEnd});
  while (store_.newest() == nullptr) server_.tick();
  std::vector<CommitTime> last_written(20);
  last_written[3] = {4};
  last_written[4] = {5};
  std::vector<std::byte> frames(20 * kBlockSize);
  node_.tell({.kind = ImageEventKind::kRestore,
              .time = {5},
              .frames = frames.data(),
              .last_written = last_written});
  const auto is_filled = [&](PageIndex i) {
    return std::memcmp(frames.data() + i * kBlockSize, page, kBlockSize) == 0;
  };
  EXPECT_FALSE(is_filled(3));
  EXPECT_TRUE(is_filled(4));
  EXPECT_TRUE(is_filled(5));  // never written, it says: then it is not here either
}

// Both superblocks are good, and who opens the store takes the newer one.
TEST_F(PageServerOf, AnImageGivenUpLateMayFindItAgain) {
  give_up_late(5);
  Store again(disk_);
  ASSERT_EQ(again.open(), "");
  ASSERT_NE(again.newest(), nullptr);
  EXPECT_EQ(again.newest()->time, 5U);
}

TEST_F(PageServerOf, AClusterThatWentBackToItsBeginningBringsNoUndoneImageBack) {
  give_up_late(5);
  go_back_to(0);
  Store again(disk_);
  ASSERT_EQ(again.open(), "");
  EXPECT_EQ(again.newest(), nullptr);
}

// Who waits for a disk hears nobody.
TEST_F(PageServerOf, AClusterThatWorksOnNeverWaitsForTheDisk) {
  node_.work_on();
  std::vector<std::byte> page(kBlockSize);
  node_.tell({ImageEventKind::kBegin, 1, {5}, 400});
  PageIndex put = 0;
  for (; !node_.held && put < 200; ++put) {
    node_.tell({ImageEventKind::kPage, 0, {}, put, Bytes{page}});
    if (put % 14 == 13) server_.tick();  // two segments
  }
  ASSERT_TRUE(node_.held) << "the disk of this seed was never behind";
  for (int i = 0; i < 100 && node_.held; ++i) server_.tick();
  EXPECT_FALSE(node_.held);
  for (PageIndex i = 0; i < 14; ++i) {
    node_.tell({ImageEventKind::kPage, 0, {}, put + i, Bytes{page}});
  }
  node_.tell({ImageEventKind::kEnd});
  EXPECT_EQ(store_.phase(), Store::Phase::kWriting) << "the cleaner waits for what is on its way";
  for (int i = 0; i < 100 && !node_.stored; ++i) server_.tick();
  EXPECT_TRUE(node_.stored);
  ASSERT_NE(store_.newest(), nullptr);
  EXPECT_EQ(store_.newest()->pages_written, put + 14);
}

// What an interrupt began there could end what had not ended, and that would be waited for for
// ever.
TEST(PageServerThread, IsNotInterruptedByPagesWhileItWorksOnTheStore) {
  InterruptedDisk disk{7};
  ImageStore<InterruptedDisk> store{disk, small_segments(4)};
  ASSERT_EQ(store.open(&kTestIdentity), "");
  StandIn node;
  PageServer<StandIn, InterruptedDisk, Asynchronous> server{node, store};
  std::vector<std::byte> page(kBlockSize);
  node.tell({ImageEventKind::kBegin, 1, {5}, 400});
  PageIndex next = 0;
  disk.on_poll = [&] { node.interrupt({ImageEventKind::kPage, 0, {}, next++, Bytes{page}}); };
  for (int i = 0; i < 20; ++i) server.tick();
  EXPECT_EQ(next, 20U);
}

/// Counts what is read.
class CountingDisk : public MemoryBlockStore {
 public:
  using MemoryBlockStore::MemoryBlockStore;

  std::uint64_t start_read(std::uint64_t offset, std::span<std::byte> out) noexcept {
    ++reads;
    return MemoryBlockStore::start_read(offset, out);
  }
  std::size_t reads = 0;
};

// Between two steps the node answers the others, whose leases are short.
TEST(PageServerThread, CleansTheStoreAStepAtATime) {
  constexpr PageIndex kPages = 400;
  CountingDisk disk{7};
  ImageStore<CountingDisk> store{disk, small_segments(1)};
  ASSERT_EQ(store.open(&kTestIdentity), "");
  StandIn node;
  node.work_on();
  PageServer<StandIn, CountingDisk, Asynchronous> server{node, store};
  const std::vector<std::byte> page(kBlockSize);
  std::size_t most_in_a_tick = 0;
  const auto take_image = [&](std::uint64_t time, auto wanted) {
    node.stored = false;
    node.tell({ImageEventKind::kBegin, 1, {time}, kPages});
    for (PageIndex i = 0; i < kPages; ++i) {
      if (wanted(i)) node.tell({ImageEventKind::kPage, 0, {}, i, Bytes{page}});
    }
    node.tell({ImageEventKind::kEnd});
    for (int i = 0; i < 1000 && !node.stored; ++i) {
      const auto before = disk.reads;
      server.tick();
      most_in_a_tick = std::max(most_in_a_tick, disk.reads - before);
    }
    EXPECT_TRUE(node.stored);
  };
  take_image(5, [](PageIndex) { return true; });
  const auto before = disk.reads;
  take_image(6, [](PageIndex i) { return i % 7 < 5; });  // leaves each segment two pages of seven
  EXPECT_GT(disk.reads - before, 100U) << "there was nothing to clean";
  EXPECT_LE(most_in_a_tick, 64U);
}

TEST_F(PageServerOf, SaysWhyAnImageCameToNothing) {
  node_.tell({ImageEventKind::kBegin, 1, {5}, 20});
  EXPECT_EQ(server_.waits_for(), "2 pages, 1 of them asked for");
  node_.tell({.kind = ImageEventKind::kGivenUp, .failure = ImageFailure::kSilence});
  EXPECT_EQ(server_.trouble(), words_for(ImageFailure::kSilence));
  EXPECT_EQ(server_.waits_for(), "the next image has not begun");
}

TEST_F(PageServerOf, ThatComesBackKnowsTheNewestEpochThatBegan) {
  node_.tell({ImageEventKind::kBegin, 1, {5}, 20});
  node_.tell({ImageEventKind::kEpoch, kTestIdentity.epoch_limit + 3});
  node_.tell({ImageEventKind::kGivenUp});
  EXPECT_EQ(server_.counters().failures, 1U);
  Store again(disk_);
  ASSERT_EQ(again.open(), "");
  EXPECT_EQ(again.identity().epoch_limit, kTestIdentity.epoch_limit + 4);
  EXPECT_EQ(again.newest(), nullptr);
}

TEST_F(PageServerOf, ThatLeavesOthersKnowsThatTheyMayGoOn) {
  Parting meanwhile = Parting::kNone;
  node_.on_leave = [&] { meanwhile = identity_on_disk().parting; };
  EXPECT_EQ(server_.leave({}), "");
  EXPECT_EQ(meanwhile, Parting::kLeaving);
  EXPECT_EQ(identity_on_disk().parting, Parting::kLeft);
}

TEST_F(PageServerOf, ThatCouldNotLeaveIsPerhapsAMemberStill) {
  node_.leaves = false;
  EXPECT_EQ(server_.leave({}), "");
  EXPECT_EQ(identity_on_disk().parting, Parting::kLeaving);
}

TEST_F(PageServerOf, ThatIsTheLastOneLeavesNobody) {
  node_.on_leave = [&] { node_.core().peers = 0; };
  EXPECT_EQ(server_.leave({}), "");
  EXPECT_EQ(identity_on_disk().parting, Parting::kNone);
}

class Rejoining : public PageServerOf {
 protected:
  /// At `time`; and then it leaves others.
  void take_image_and_leave(std::uint64_t time) {
    alignas(8) std::byte page[kBlockSize];
    fill_page(time, Block{page});
    node_.tell({ImageEventKind::kBegin, 1, {time}, 20});
    node_.tell({ImageEventKind::kPage, 0, {}, 3, Bytes{page}});
    node_.tell({ImageEventKind::kEnd});
    while (!node_.stored) server_.tick();
    ASSERT_EQ(server_.leave({}), "");
    node_.core().epoch = kTestIdentity.epoch_limit - 1;
  }
};

TEST_F(Rejoining, TellsWhatTheClusterMayGoBackTo) {
  take_image_and_leave(5);
  ASSERT_TRUE(server_.has_left());
  event::StoredCluster stored;
  EXPECT_EQ(server_.prepare_rejoin(stored), "");
  EXPECT_EQ(stored.cluster, kTestIdentity.cluster);
  EXPECT_EQ(stored.epoch, kTestIdentity.epoch_limit - 1);
  EXPECT_EQ(stored.time, CommitTime{5});
  EXPECT_EQ(server_.rejoin(), "");
  const auto identity = identity_on_disk();
  EXPECT_EQ(identity.parting, Parting::kNone);
  EXPECT_EQ(identity.incarnation, 78U);
  EXPECT_EQ(identity.node, 3U);
}

TEST_F(Rejoining, OfAnotherClusterLeavesTheStoreAlone) {
  take_image_and_leave(5);
  const auto before = identity_on_disk();
  node_.core().cluster ^= 1;
  EXPECT_NE(server_.rejoin(), "");
  EXPECT_EQ(identity_on_disk(), before);
}

// Its epochs may have undone what the image has.
TEST_F(Rejoining, AfterAnotherPageServerLeavesTheStoreAlone) {
  take_image_and_leave(5);
  node_.core().epoch += 1;
  EXPECT_NE(server_.rejoin(), "");
  EXPECT_EQ(identity_on_disk().parting, Parting::kLeft);
}

// Others may have let it in before it died, and wait for who asked.
TEST_F(Rejoining, OfOneThatDiesOverItIsAskedForByTheSameOne) {
  take_image_and_leave(5);
  event::StoredCluster stored;
  ASSERT_EQ(server_.prepare_rejoin(stored), "");
  EXPECT_EQ(stored.incarnation, 78U);
  Store again(disk_);
  ASSERT_EQ(again.open(), "");
  StandIn next_life;
  next_life.core().incarnation = 99;
  PageServer<StandIn, MemoryBlockStore, Asynchronous> server{next_life, again};
  ASSERT_TRUE(server.has_left());
  ASSERT_EQ(server.prepare_rejoin(stored), "");
  EXPECT_EQ(stored.incarnation, 78U);
}

TEST_F(Rejoining, IsNotedBeforeAnybodyHearsOfIt) {
  take_image_and_leave(5);
  event::StoredCluster stored;
  ASSERT_EQ(server_.prepare_rejoin(stored), "");
  node_.tell({ImageEventKind::kLetIn, node_.core().epoch});
  const auto identity = identity_on_disk();
  EXPECT_EQ(identity.parting, Parting::kNone);
  EXPECT_EQ(identity.node, 3U);
}

// If it is a member still, it goes on as who it was.
TEST_F(Rejoining, OfOneThatMayNotHaveLeftKeepsWhoItWas) {
  node_.leaves = false;
  take_image_and_leave(5);
  event::StoredCluster stored;
  ASSERT_EQ(server_.prepare_rejoin(stored), "");
  EXPECT_EQ(stored.incarnation, 0U);
  EXPECT_EQ(identity_on_disk().incarnation, kTestIdentity.incarnation);
}

}  // namespace
}  // namespace plurix::checkpoint

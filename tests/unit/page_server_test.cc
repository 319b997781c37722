// What a PageServer does with its store when its node tells it of images; the node is a stand-in.
#include <gtest/gtest.h>
#include <plurix/checkpoint/page_server.h>
#include <plurix/checkpoint/policies.h>
#include <plurix/sim/memory_block_store.h>

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
    CommitTime applied;
    CommitTime durable;
  };
  struct Imaging {
    bool wants_token() const noexcept { return false; }
    bool stops_cluster() const noexcept { return stops; }
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
  void work_on() noexcept { protocol_.images.stops = false; }
  Endpoint local_endpoint() const noexcept { return {}; }

  ImageSink tell;
  bool held = false;
  bool stored = false;

 private:
  Protocol protocol_;
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

  void go_back_to(std::uint64_t time) {
    std::vector<std::byte> frames(20 * kBlockSize);
    node_.tell({ImageEventKind::kRestore, 0, {time}, 0, {}, frames.data()});
  }

  MemoryBlockStore disk_{7};
  Store store_{disk_, small_segments(4)};
  StandIn node_;
  PageServer<StandIn, MemoryBlockStore, Asynchronous> server_{node_, store_};
};

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

}  // namespace
}  // namespace plurix::checkpoint

// Messages cut into Ethernet frames and put together again, under loss, mixtures and floods.
#include <plurix/ethernet/reassembly.h>

#include <gtest/gtest.h>
#include <memory>
#include <numeric>
#include <vector>

namespace plurix::ethernet {
namespace {

using Message = std::vector<std::byte>;
using Frame = std::vector<std::byte>;

MacAddress station(unsigned number) {
  MacAddress address;
  address.bytes[0] = std::byte{2};
  address.bytes[4] = static_cast<std::byte>(number >> 8);
  address.bytes[5] = static_cast<std::byte>(number);
  return address;
}

Message message_of(std::size_t size, unsigned seed) {
  Message message(size);
  for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<std::byte>((i * 7 + seed) & 0xff);
  return message;
}

std::vector<Frame> cut(const Message& message, unsigned from, MessageNumber number,
                       std::size_t head = 72) {
  std::vector<Frame> frames;
  const Bytes whole(message);
  const auto split = std::min(head, message.size());
  for (std::size_t i = 0; i < fragments_for(message.size()); ++i) {
    const auto header = make_header(station(from), station(99), number, message.size(), i);
    const auto parts = stretch_of(whole.first(split), whole.subspan(split), i * kFragment,
                                  contents_of(message.size(), i));
    const auto bytes = std::as_bytes(std::span{&header, 1});
    Frame frame(bytes.begin(), bytes.end());
    frame.insert(frame.end(), parts.first.begin(), parts.first.end());
    frame.insert(frame.end(), parts.second.begin(), parts.second.end());
    frames.push_back(frame);
  }
  return frames;
}

class ReassemblyTest : public ::testing::Test {
 protected:
  Message take(const Frame& frame, NodeId peer) {
    Fragment fragment;
    EXPECT_EQ(read_fragment(frame, fragment), NotOurs::kNothing);
    const auto whole = reassembly_->add(fragment, peer);
    return {whole.begin(), whole.end()};
  }

  std::unique_ptr<Reassembly> reassembly_ = std::make_unique<Reassembly>();
};

TEST_F(ReassemblyTest, PutsEveryLengthTogetherInEveryOrder) {
  for (const std::size_t size : {kFragment + 1, 2 * kFragment, 2 * kFragment + 1, kMaxFrame}) {
    const auto message = message_of(size, 3);
    std::vector<std::size_t> order(fragments_for(size));
    std::iota(order.begin(), order.end(), 0);
    std::uint32_t number = 0;
    do {
      const auto frames = cut(message, 1, {5, ++number});
      Message whole;
      for (const auto i : order) {
        EXPECT_TRUE(whole.empty());
        whole = take(frames[i], 0);
      }
      EXPECT_EQ(whole, message) << "size " << size;
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_F(ReassemblyTest, PutsTwoMessagesOfOneSenderTogetherAtOnce) {
  const auto first = message_of(4200, 1);
  const auto second = message_of(4200, 2);
  const auto a = cut(first, 1, {5, 1});
  const auto b = cut(second, 1, {5, 2});
  for (const auto* frame : {&a[0], &b[0], &b[2], &a[1]}) EXPECT_TRUE(take(*frame, 0).empty());
  EXPECT_EQ(take(b[1], 0), second);
  EXPECT_EQ(take(a[2], 0), first);
}

TEST_F(ReassemblyTest, CountsAFragmentThatComesTwiceOnce) {
  const auto message = message_of(4200, 1);
  const auto frames = cut(message, 1, {5, 1});
  for (const auto i : {0, 0, 1, 1, 0}) {
    EXPECT_TRUE(take(frames[static_cast<std::size_t>(i)], 0).empty());
  }
  EXPECT_EQ(take(frames[2], 0), message);
}

TEST_F(ReassemblyTest, NeverMixesMessagesThatDifferInSenderSessionNumberOrLength) {
  const auto message = message_of(4200, 1);
  const auto right = cut(message, 1, {5, 1});
  const auto other_sender = cut(message_of(4200, 2), 2, {5, 1});
  const auto other_session = cut(message_of(4200, 3), 1, {6, 1});
  const auto other_number = cut(message_of(4200, 4), 1, {5, 2});
  const auto other_length = cut(message_of(4201, 5), 1, {5, 1});
  for (const auto* wrong : {&other_sender, &other_session, &other_number, &other_length}) {
    EXPECT_TRUE(take(right[0], kNoNode).empty());
    EXPECT_TRUE(take((*wrong)[1], kNoNode).empty());
    EXPECT_TRUE(take((*wrong)[2], kNoNode).empty());
    EXPECT_TRUE(take(right[1], kNoNode).empty());
    EXPECT_EQ(take(right[2], kNoNode), message);
  }
}

TEST_F(ReassemblyTest, UsesAPlaceAgainFromNothing) {
  const auto old = cut(message_of(4200, 1), 1, {5, 1});
  EXPECT_TRUE(take(old[0], 0).empty());
  EXPECT_TRUE(take(old[1], 0).empty());
  for (std::uint32_t number = 2; number < 4; ++number) {
    EXPECT_TRUE(take(cut(message_of(4200, number), 1, {5, number})[0], 0).empty());
  }
  EXPECT_EQ(reassembly_->given_up(), 1U);
  const auto newest = cut(message_of(4200, 3), 1, {5, 3});
  EXPECT_TRUE(take(newest[2], 0).empty()) << "a message was completed from pieces of two";
  EXPECT_EQ(take(newest[1], 0), message_of(4200, 3));
}

TEST_F(ReassemblyTest, LetsNoFloodOfStrangersDisturbAMember) {
  const auto message = message_of(4200, 1);
  const auto frames = cut(message, 1, {5, 1});
  EXPECT_TRUE(take(frames[0], 7).empty());
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(take(cut(message_of(4200, i), 2 + i % 500, {i, 1})[i % 3], kNoNode).empty());
  }
  EXPECT_TRUE(take(frames[1], 7).empty());
  EXPECT_EQ(take(frames[2], 7), message);
}

TEST_F(ReassemblyTest, LetsNoMemberDisturbAnother) {
  const auto message = message_of(4200, 1);
  const auto frames = cut(message, 1, {5, 1});
  EXPECT_TRUE(take(frames[0], 0).empty());
  for (NodeId peer = 1; peer < kMaxNodes; ++peer) {
    for (std::uint32_t n = 0; n < 5; ++n)
      take(cut(message_of(4200, n), 10u + peer, {1, n})[0], peer);
  }
  EXPECT_TRUE(take(frames[2], 0).empty());
  EXPECT_EQ(take(frames[1], 0), message);
}

TEST_F(ReassemblyTest, ForgetsWhatAFormerMemberHadBegun) {
  const auto frames = cut(message_of(4200, 1), 1, {5, 1});
  EXPECT_TRUE(take(frames[0], 3).empty());
  EXPECT_TRUE(take(frames[1], 3).empty());
  reassembly_->forget(3);
  EXPECT_TRUE(take(frames[2], 3).empty());
}

class EthernetFrame : public ::testing::Test {
 protected:
  static NotOurs read(const Frame& frame) {
    Fragment fragment;
    return read_fragment(frame, fragment);
  }

  const Frame good_ = cut(message_of(100, 1), 1, {5, 1})[0];
};

TEST_F(EthernetFrame, IsReadAsItWasWritten) {
  Fragment fragment;
  ASSERT_EQ(read_fragment(good_, fragment), NotOurs::kNothing);
  EXPECT_EQ(fragment.from, station(1));
  EXPECT_EQ(fragment.to, station(99));
  EXPECT_EQ(fragment.message, (MessageNumber{5, 1}));
  EXPECT_EQ(Message(fragment.contents.begin(), fragment.contents.end()), message_of(100, 1));
}

TEST_F(EthernetFrame, OfAnotherEtherTypeIsForeign) {
  auto frame = good_;
  frame[12] = std::byte{0x08};
  frame[13] = std::byte{0x00};
  EXPECT_EQ(read(frame), NotOurs::kForeign);
}

TEST_F(EthernetFrame, CutAnywhereIsRefused) {
  for (std::size_t size = 0; size < good_.size(); ++size) {
    EXPECT_NE(read({good_.begin(), good_.begin() + static_cast<std::ptrdiff_t>(size)}),
              NotOurs::kNothing)
        << size;
  }
}

TEST_F(EthernetFrame, WithBytesBehindItsContentsIsRefusedUnlessTheyPadIt) {
  auto longer = good_;
  longer.push_back(std::byte{0});
  EXPECT_EQ(read(longer), NotOurs::kMalformed);
  auto shortest = cut(message_of(3, 1), 1, {5, 1})[0];
  shortest.resize(kShortestFrame);
  Fragment fragment;
  ASSERT_EQ(read_fragment(shortest, fragment), NotOurs::kNothing);
  EXPECT_EQ(fragment.contents.size(), 3U);
}

TEST_F(EthernetFrame, WhoseFieldsContradictEachOtherIsRefused) {
  const auto with = [&](std::size_t at, unsigned value) {
    auto frame = good_;
    frame[at] = static_cast<std::byte>(value);
    return read(frame);
  };
  EXPECT_EQ(with(6, 0x03), NotOurs::kMalformed) << "a group as sender";
  EXPECT_EQ(with(22, 99), NotOurs::kMalformed) << "another total";
  EXPECT_EQ(with(23, 0xff), NotOurs::kMalformed) << "a total above all limits";
  EXPECT_EQ(with(24, 1), NotOurs::kMalformed) << "a fragment behind the last";
  EXPECT_EQ(with(25, 2), NotOurs::kMalformed) << "a count that is not the total's";
  EXPECT_EQ(with(25, 0), NotOurs::kMalformed) << "no fragments at all";
  EXPECT_EQ(with(26, 2), NotOurs::kMalformed) << "another version";
  EXPECT_EQ(with(29, 1), NotOurs::kMalformed) << "something where nothing stands";
}

}  // namespace
}  // namespace plurix::ethernet

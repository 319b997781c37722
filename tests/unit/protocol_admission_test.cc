// Which frames a member lets in (DESIGN P6): a frame of another cluster, epoch, receiver or sender
// is counted under its reason and changes nothing. The probe is a token request, which a holder
// answers at once when it is let in.
#include <gtest/gtest.h>

#include "support/frame_builder.h"
#include "support/wired_cores.h"

namespace plurix::testing {
namespace {

using wire::DropReason;
using wire::FrameHeader;
using wire::MessageType;

class Admission : public ::testing::Test {
 protected:
  Admission() {
    genuine_.type = MessageType::kTokenRequest;
    genuine_.epoch = holder().epoch;
    genuine_.cluster = holder().cluster;
    genuine_.commit_time = net_.applied(1);
    genuine_.sender = 1;
    genuine_.receiver = 0;
    genuine_.incarnation = net_.core(1).core().config.incarnation;
    genuine_.receiver_incarnation = holder().config.incarnation;
    request_.node = 1;
    request_.number = 1;
    request_.time = net_.applied(1);
  }

  const CoreContext& holder() const { return net_.core(0).core(); }
  std::uint64_t dropped(DropReason reason) const {
    return holder().counters.dropped[static_cast<std::size_t>(reason)];
  }
  void arrive(const ByteVector& frame, std::size_t from = 1) {
    net_.step(0, event::FrameArrived{frame, WiredCores::endpoint(from)});
  }
  bool granted() const { return net_.count({.type = MessageType::kTokenGrant}) > 0; }

  void expect_let_in(const FrameHeader& header) {
    arrive(frame_of(header, bytes_of(request_)));
    EXPECT_TRUE(granted());
  }
  void expect_dropped(DropReason reason, const ByteVector& frame, std::size_t from = 1) {
    const auto before = dropped(reason);
    const auto received = holder().counters.frames_received;
    arrive(frame, from);
    EXPECT_EQ(dropped(reason), before + 1);
    EXPECT_LE(holder().counters.frames_received, received + 1);
    EXPECT_TRUE(net_.under_way().empty());
    EXPECT_TRUE(net_.core(0).token().held());
    EXPECT_EQ(net_.core(0).token().waiting(), 0u);
    EXPECT_FALSE(net_.core(0).catch_up().behind());
  }
  template <class Change>
  void expect_dropped(DropReason reason, Change change) {
    auto header = genuine_;
    change(header);
    expect_dropped(reason, frame_of(header, bytes_of(request_)));
  }

  WiredCores net_{{.nodes = 3, .later = 1}};
  FrameHeader genuine_;
  TokenRequest request_;
};

TEST_F(Admission, IsGrantedToAGenuineFrame) { expect_let_in(genuine_); }

TEST_F(Admission, IsGrantedToAFrameForEveryone) {
  genuine_.receiver = kEveryone;
  expect_let_in(genuine_);
}

TEST_F(Admission, IsRefusedToAnotherClusterName) {
  expect_dropped(DropReason::kForeignCluster, [](auto& h) { h.cluster ^= ClusterId{1} << 32; });
}

TEST_F(Admission, IsRefusedToAnotherFoundingOfTheSameName) {
  expect_dropped(DropReason::kForeignCluster, [](auto& h) { h.cluster ^= 2; });
  expect_dropped(DropReason::kForeignCluster, [](auto& h) { h.cluster &= CoreContext::kNameHalf; });
}

TEST_F(Admission, IsRefusedToEveryOtherEpoch) {
  expect_dropped(DropReason::kOldEpoch, [](auto& h) { --h.epoch; });
  expect_dropped(DropReason::kOldEpoch, [](auto& h) { ++h.epoch; });
}

TEST_F(Admission, IsRefusedToAFrameForSomebodyElse) {
  expect_dropped(DropReason::kWrongReceiver, [](auto& h) { h.receiver = 2; });
  expect_dropped(DropReason::kWrongReceiver, [](auto& h) { h.receiver = kNoNode; });
}

TEST_F(Admission, IsRefusedToASenderThatIsNoMember) {
  expect_dropped(DropReason::kUnknownSender, [](auto& h) { h.sender = 3; });
  expect_dropped(DropReason::kUnknownSender, [](auto& h) { h.sender = kMaxNodes; });
  expect_dropped(DropReason::kUnknownSender, [](auto& h) { h.sender = kNoNode; });
}

TEST_F(Admission, IsRefusedToOnesOwnName) {
  expect_dropped(DropReason::kUnknownSender, [](auto& h) { h.sender = 0; });
}

TEST_F(Admission, IsRefusedToAnotherLifeOfTheSameNode) {
  expect_dropped(DropReason::kUnknownSender, [](auto& h) { ++h.incarnation; });
}

TEST_F(Admission, IsRefusedToAFrameForAnotherLifeOfTheReceiver) {
  expect_dropped(DropReason::kWrongReceiver, [](auto& h) { ++h.receiver_incarnation; });
}

TEST_F(Admission, IsRefusedToAFrameThatComesFromAnotherAddress) {
  expect_dropped(DropReason::kUnknownSender, frame_of(genuine_, bytes_of(request_)), 2);
}

TEST_F(Admission, IsRefusedToAFilledAuthField) {
  expect_dropped(DropReason::kBadAuth, [](auto& h) { h.auth_key_id = 1; });
}

TEST_F(Admission, IsRefusedToADamagedFrame) {
  auto frame = frame_of(genuine_, bytes_of(request_));
  frame[80] ^= std::byte{4};
  expect_dropped(DropReason::kBadChecksum, frame);
}

TEST_F(Admission, OfAMalformedBodyChangesNothing) {
  auto body = bytes_of(request_);
  body.pop_back();
  expect_dropped(DropReason::kMalformedBody, frame_of(genuine_, body));
  for (auto type = wire::kFirstType; type <= wire::kLastType; ++type) {
    auto header = genuine_;
    header.type = static_cast<MessageType>(type);
    expect_dropped(DropReason::kMalformedBody, frame_of(header, ByteVector(3)));
  }
}

TEST_F(Admission, OfARequestForNoPossibleNodeOrPageChangesNothing) {
  request_.node = kMaxNodes;
  expect_dropped(DropReason::kMalformedBody, frame_of(genuine_, bytes_of(request_)));
  genuine_.type = MessageType::kPageRequest;
  const auto pages = net_.core(0).directory().pages();
  expect_dropped(DropReason::kMalformedBody,
                 frame_of(genuine_, bytes_of(wire::PageRequest{pages, 1})));
}

TEST_F(Admission, OfRecordsIsAllOrNothing) {
  wire::RecordHeader good;
  good.time = net_.applied(0) + 1;
  good.writer = 1;
  auto bad = good;
  bad.time = good.time + 1;
  genuine_.type = MessageType::kCommitRecords;
  const auto pages = net_.core(0).directory().pages();
  expect_dropped(DropReason::kMalformedBody,
                 frame_of(genuine_, joined(record_of(good, {3}), record_of(bad, {pages}))));
  EXPECT_EQ(net_.applied(0), net_.applied(1));
}

TEST_F(Admission, IsRefusedByWhoIsNotAMember) {
  const auto before = net_.counters(3).dropped[static_cast<std::size_t>(DropReason::kNotJoined)];
  net_.step(3,
            event::FrameArrived{frame_of(genuine_, bytes_of(request_)), WiredCores::endpoint(1)});
  EXPECT_EQ(net_.counters(3).dropped[static_cast<std::size_t>(DropReason::kNotJoined)], before + 1);
  EXPECT_TRUE(net_.under_way().empty());
}

}  // namespace
}  // namespace plurix::testing

// What must be true of a frame before anybody looks at its body.
#include <gtest/gtest.h>
#include <plurix/wire/frame.h>
#include <rapidcheck/gtest.h>

#include "support/frame_builder.h"

namespace plurix::testing {
namespace {

using wire::DropReason;
using wire::FrameHeader;
using wire::FrameView;
using wire::MessageType;

FrameHeader some_header() {
  FrameHeader header;
  header.type = MessageType::kPageRequest;
  header.epoch = 3;
  header.cluster = 0x1122334455667788;
  header.commit_time = {42};
  header.sender = 1;
  header.receiver = 2;
  header.incarnation = 7;
  header.receiver_incarnation = 9;
  return header;
}

ByteVector some_body(std::size_t size) {
  ByteVector body(size);
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<std::byte>(i * 31 + 5);
  return body;
}

DropReason checked(const ByteVector& frame) {
  FrameView view;
  return wire::check_frame(frame, view);
}

TEST(Frame, ComesBackAsItWasSent) {
  const auto body = some_body(16);
  const auto frame = frame_of(some_header(), body);
  FrameView view;
  ASSERT_EQ(wire::check_frame(frame, view), DropReason::kNone);
  EXPECT_EQ(view.header.type, MessageType::kPageRequest);
  EXPECT_EQ(view.header.epoch, 3u);
  EXPECT_EQ(view.header.cluster, 0x1122334455667788u);
  EXPECT_EQ(view.header.commit_time, CommitTime{42});
  EXPECT_EQ(view.header.sender, 1);
  EXPECT_EQ(view.header.receiver, 2);
  EXPECT_EQ(view.header.incarnation, 7u);
  EXPECT_EQ(view.header.body_bytes, 16);
  EXPECT_EQ(ByteVector(view.body.begin(), view.body.end()), body);
}

TEST(Frame, StandsOnTheWireAsTheFormatSays) {
  auto header = some_header();
  header.auth_key_id = 0x0a0b0c0d;
  const auto frame = frame_of(header, some_body(2));
  const auto at = [&](std::size_t i) { return static_cast<unsigned>(frame[i]); };
  ASSERT_EQ(frame.size(), 74u);
  EXPECT_EQ(at(4), 'P');
  EXPECT_EQ(at(5), 'L');
  EXPECT_EQ(at(6), 'R');
  EXPECT_EQ(at(7), 'X');
  EXPECT_EQ(at(8), wire::kVersion);
  EXPECT_EQ(at(9), 1u);      // PageRequest
  EXPECT_EQ(at(10), 2u);     // body bytes
  EXPECT_EQ(at(12), 3u);     // epoch
  EXPECT_EQ(at(16), 0x88u);  // cluster, lowest byte first
  EXPECT_EQ(at(24), 42u);    // commit time
  EXPECT_EQ(at(32), 1u);     // sender
  EXPECT_EQ(at(34), 2u);     // receiver
  EXPECT_EQ(at(36), 7u);     // incarnation
  EXPECT_EQ(at(40), 9u);     // incarnation of the receiver
  EXPECT_EQ(at(44), 0x0du);  // key id
}

TEST(Frame, GathersBodyAndPayloadUnderOneChecksum) {
  const auto body = some_body(24);
  auto header = some_header();
  wire::finish_frame(header, Bytes{body}.first(8), Bytes{body}.subspan(8));
  EXPECT_EQ(checked(raw_frame(header, body)), DropReason::kNone);
}

TEST(Frame, ShorterThanAHeaderIsTooShort) {
  const auto frame = frame_of(some_header(), {});
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(checked(ByteVector(frame.begin(), frame.begin() + static_cast<long>(size))),
              DropReason::kTooShort);
  }
}

TEST(Frame, CutShortOrWithATailHasABadLength) {
  auto frame = frame_of(some_header(), some_body(8));
  frame.pop_back();
  reseal(frame);
  EXPECT_EQ(checked(frame), DropReason::kBadLength);
  frame.resize(frame.size() + 2);
  reseal(frame);
  EXPECT_EQ(checked(frame), DropReason::kBadLength);
}

TEST(Frame, LongerThanTheLargestIsRejectedEvenIfItSaysSo) {
  const auto largest = kMaxFrame - sizeof(FrameHeader);
  EXPECT_EQ(checked(frame_of(some_header(), some_body(largest))), DropReason::kNone);
  EXPECT_EQ(checked(frame_of(some_header(), some_body(largest + 1))), DropReason::kBadLength);
}

TEST(Frame, OfAnotherProtocolIsRejected) {
  auto header = some_header();
  header.magic ^= 0x20;
  EXPECT_EQ(checked(frame_of(header, {})), DropReason::kBadMagic);
}

TEST(Frame, OfAnotherVersionIsRejected) {
  auto header = some_header();
  header.version = wire::kVersion + 1;
  EXPECT_EQ(checked(frame_of(header, {})), DropReason::kBadVersion);
  header.version = 0;
  EXPECT_EQ(checked(frame_of(header, {})), DropReason::kBadVersion);
}

TEST(Frame, OfEveryUnknownTypeIsRejectedAndOfEveryKnownTypeIsNot) {
  for (unsigned type = 0; type < 256; ++type) {
    auto header = some_header();
    header.type = static_cast<MessageType>(type);
    const bool known = type >= wire::kFirstType && type <= wire::kLastType;
    EXPECT_EQ(checked(frame_of(header, {})), known ? DropReason::kNone : DropReason::kBadType)
        << "type " << type;
  }
}

TEST(Frame, ThatWasRejectedLeavesTheViewAlone) {
  auto frame = frame_of(some_header(), some_body(8));
  frame.back() ^= std::byte{1};
  FrameView view;
  view.header.sender = 9;
  EXPECT_EQ(wire::check_frame(frame, view), DropReason::kBadChecksum);
  EXPECT_EQ(view.header.sender, 9);
  EXPECT_TRUE(view.body.empty());
}

void expect_every_bit_matters(ByteVector frame) {
  ASSERT_EQ(checked(frame), DropReason::kNone);
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1u << (bit % 8));
    frame[bit / 8] ^= mask;
    ASSERT_NE(checked(frame), DropReason::kNone) << "bit " << bit;
    frame[bit / 8] ^= mask;
  }
}

TEST(Frame, WithAnySingleBitFlippedIsRejected) {
  expect_every_bit_matters(frame_of(some_header(), {}));
  expect_every_bit_matters(frame_of(some_header(), some_body(17)));
  expect_every_bit_matters(frame_of(some_header(), some_body(kPageSize + 16)));
}

RC_GTEST_PROP(Frame, ComesBackWhateverItsFieldsAndBody,
              (std::uint32_t epoch, std::uint64_t cluster, std::uint64_t time, std::uint16_t sender,
               std::uint16_t receiver, std::uint32_t incarnation)) {
  FrameHeader header;
  header.type =
      static_cast<MessageType>(*rc::gen::inRange<int>(wire::kFirstType, wire::kLastType + 1));
  header.epoch = epoch;
  header.cluster = cluster;
  header.commit_time = {time};
  header.sender = sender;
  header.receiver = receiver;
  header.incarnation = incarnation;
  const auto body = some_body(*rc::gen::inRange<std::size_t>(0, kMaxFrame - sizeof header));
  const auto frame = frame_of(header, body);
  FrameView view;
  RC_ASSERT(wire::check_frame(frame, view) == DropReason::kNone);
  header.body_bytes = view.header.body_bytes;
  header.crc32c = view.header.crc32c;
  RC_ASSERT(bytes_of(view.header) == bytes_of(header));
  RC_ASSERT(ByteVector(view.body.begin(), view.body.end()) == body);
}

RC_GTEST_PROP(Frame, WithUpToThreeBitsFlippedAnywhereIsRejected, ()) {
  auto frame = frame_of(some_header(), some_body(*rc::gen::inRange<std::size_t>(0, 200)));
  const auto bits = *rc::gen::unique<std::vector<std::size_t>>(
      *rc::gen::inRange<std::size_t>(1, 4), rc::gen::inRange<std::size_t>(0, frame.size() * 8));
  for (const auto bit : bits) frame[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  RC_ASSERT(checked(frame) != DropReason::kNone);
}

TEST(NoAuth, AcceptsOnlyTheFieldItSeals) {
  wire::NoAuth auth;
  auto header = some_header();
  auth.seal(header, {}, {});
  EXPECT_TRUE(auth.verify(header, {}));
  header.auth_key_id = 1;
  EXPECT_FALSE(auth.verify(header, {}));
  header = some_header();
  header.auth_counter = 1;
  EXPECT_FALSE(auth.verify(header, {}));
}

}  // namespace
}  // namespace plurix::testing
